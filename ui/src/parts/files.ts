// Changes of the definitions that are more than one file, and of one part of a file.
import { api, get, must } from '../api';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Tree = { [key: string]: Json };

// changeFiles puts files in the place of others, or takes them out where the body is
// null, and all in force together, unless somebody else did so meanwhile.
export async function changeFiles(changes: Record<string, string | null>) {
  const d = await get('/api/v1/definitions');
  const files = (d.files ?? []).filter((f) => !(f.path in changes));
  for (const [path, body] of Object.entries(changes)) if (body !== null) files.push({ path, body });
  return must(api.PUT('/api/v1/definitions', { params: { header: { 'If-Match': d.tag ?? '' } }, body: { files } }));
}

// A text that YAML reads as a text and nothing else, and that needs no quotes.
const plain = /^[A-Za-z][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*$/;
const words = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

function scalar(v: string | number | boolean | null): string {
  if (typeof v !== 'string') return String(v);
  return plain.test(v) && !words.has(v.toLowerCase()) ? v : JSON.stringify(v);
}

// yaml writes a value as YAML. What people typed is quoted as JSON, which YAML reads
// as a text, so that nobody can add a line to a definition.
export function yaml(v: Json, indent = ''): string {
  if (v === null || typeof v !== 'object') return scalar(v);
  if (Array.isArray(v)) {
    if (v.length === 0) return '[]';
    return v
      .map((item) => {
        const text = yaml(item, indent + '  ');
        return item !== null && typeof item === 'object' && text.startsWith('\n')
          ? `\n${indent}- ${text.trimStart()}`
          : `\n${indent}- ${text}`;
      })
      .join('');
  }
  const fields = Object.entries(v);
  if (fields.length === 0) return '{}';
  return fields
    .map(([key, value]) => {
      const text = yaml(value, indent + '  ');
      return `\n${indent}${scalar(key)}:${text.startsWith('\n') ? '' : ' '}${text}`;
    })
    .join('');
}

export function document(v: Tree): string {
  return yaml(v).trimStart() + '\n';
}

// withSection puts a value in the place of a key at the top of a file of YAML, and
// leaves every other line as it stands, comments included. Undefined takes it out.
export function withSection(text: string, key: string, value: Json | undefined): string {
  const lines = text.replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
  const start = lines.findIndex((l) => l.startsWith(key + ':') || l.startsWith(`"${key}":`));
  let end = start + 1;
  if (start >= 0) {
    while (end < lines.length && (/^\s/.test(lines[end]!) || lines[end] === '' || lines[end]!.startsWith('- '))) end++;
    while (end > start + 1 && lines[end - 1] === '') end--;
  }
  const fresh =
    value === undefined
      ? []
      : document({ [key]: value })
          .trimEnd()
          .split('\n');
  if (start < 0) return [...lines, ...(lines.length && fresh.length ? [''] : []), ...fresh].join('\n') + '\n';
  return [...lines.slice(0, start), ...fresh, ...lines.slice(end)].join('\n') + '\n';
}
