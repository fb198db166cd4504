/** The part of JSON Schema (draft 4) that action parameters use. */

/** A JSON schema; keywords not listed here are ignored. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly default?: unknown;
}

/** What is wrong with `value`, one text per misfit; `path` names the value. */
export function checkParameters(value: unknown, schema: Schema, path: string): readonly string[] {
  if (schema.type !== undefined && ![schema.type].flat().some((type) => hasType(value, type))) {
    return [`${path} : must be of type ${[schema.type].flat().join(" or ")}, given ${JSON.stringify(value)}`];
  }
  const problems: string[] = [];
  if (
    schema.enum !== undefined &&
    !schema.enum.some((entry) => JSON.stringify(entry) === JSON.stringify(value))
  ) {
    problems.push(`${path} : must match one of the enum values ${JSON.stringify(schema.enum)}`);
  }
  if (typeof value === "number") {
    const { minimum, maximum } = schema;
    if (minimum !== undefined && value < minimum)
      problems.push(`${path} : must be greater than or equal to ${minimum}`);
    if (maximum !== undefined && value > maximum)
      problems.push(`${path} : must be less than or equal to ${maximum}`);
  }
  if (typeof value === "string") {
    const { minLength, maxLength, pattern } = schema;
    if (minLength !== undefined && value.length < minLength)
      problems.push(`${path} : length must be at least ${minLength}`);
    if (maxLength !== undefined && value.length > maxLength)
      problems.push(`${path} : length must be at most ${maxLength}`);
    if (pattern !== undefined && !new RegExp(pattern, "u").test(value))
      problems.push(`${path} : does not match ${pattern}`);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined)
      problems.push(...value.flatMap((entry, i) => checkParameters(entry, items, `${path}.${i}`)));
  } else if (typeof value === "object" && value !== null) {
    problems.push(...checkObject(value as Readonly<Record<string, unknown>>, schema, path));
  }
  return problems;
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  path: string,
): readonly string[] {
  const properties = schema.properties ?? {};
  const problems: string[] = [];
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) problems.push(`${path} : "${name}" property is missing and required`);
  }
  for (const [name, entry] of Object.entries(value)) {
    const own = properties[name];
    if (own !== undefined) problems.push(...checkParameters(entry, own, `${path}.${name}`));
    else if (schema.additionalProperties === false) {
      problems.push(`${path} : additional property "${name}" is not allowed`);
    }
  }
  return problems;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "string":
    case "boolean":
      return typeof value === type;
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return false;
  }
}
