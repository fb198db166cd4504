/** What the Python charm publishes. */

/** An image as it publishes it. */
export interface PythonImage {
  readonly id: string;
  readonly tags: string;
}

/** The databag that it writes for `images`, the first of which owns `id`: JSON as Python's json.dumps writes it. */
export function pythonBag(images: readonly PythonImage[]): Readonly<Record<string, string>> {
  const [first] = images;
  const items = images.map(({ id, tags }) => `{"id": "${id}", "tags": "${tags}"}`);
  return { id: first?.id ?? "", tags: first?.tags ?? "", images: `[${items.join(", ")}]` };
}
