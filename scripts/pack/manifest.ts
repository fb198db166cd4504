/** The file by which Juju knows where a charm runs. */
import type { Platform } from "./platforms.ts";

/**
 * manifest.yaml as charmcraft 4.5 writes it (its `models/manifest.py`), with no time in it. Juju reads `bases`;
 * Juju 4 refuses a charm without them.
 */
export function manifestText({ base, architecture }: Platform): string {
  return `# as charmcraft writes it; made by \`npm run pack\`, which needs no charmcraft
charmcraft-version: 4.5.0
charmcraft-started-at: '1980-01-01T00:00:00+00:00'
bases:
- name: ubuntu
  channel: '${base}'
  architectures:
  - ${architecture}
analysis:
  attributes:
  - name: language
    result: unknown
  - name: framework
    result: unknown
`;
}
