import { z } from 'zod';

type Json = Readonly<Record<string, unknown>>;

/**
 * The keys that a schema allows in the map at a path; empty if it has no fixed ones. Read from the JSON schema, because
 * that is zod's public description of itself.
 */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  let places = branches(root, root);
  for (const part of path) {
    places = places.flatMap((place) => step(place, part)).flatMap((place) => branches(place, root));
  }
  return [...new Set(places.flatMap((place) => Object.keys((place['properties'] as Json | undefined) ?? {})))];
}

function step(place: Json, part: PropertyKey): Json[] {
  const next =
    typeof part === 'number'
      ? place['items']
      : ((place['properties'] as Json | undefined)?.[String(part)] ?? place['additionalProperties']);
  return isSchema(next) ? [next] : [];
}

/** The alternatives of a schema, with references resolved. */
function branches(place: Json, root: Json): Json[] {
  const reference = place['$ref'];
  if (typeof reference === 'string') {
    const target = reference
      .split('/')
      .slice(1)
      .reduce<unknown>((at, part) => (isSchema(at) ? at[part] : undefined), root);
    return isSchema(target) ? branches(target, root) : [];
  }
  const parts = [place['anyOf'], place['oneOf'], place['allOf']].flatMap((list) => (Array.isArray(list) ? list : []));
  return parts.length === 0 ? [place] : parts.filter(isSchema).flatMap((part) => branches(part, root));
}

function isSchema(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
