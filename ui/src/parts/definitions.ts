// Definitions are files. A change puts one in the place of another, and all of them
// in force, unless somebody else did so meanwhile.
import { api, get, must } from '../api';

export async function putFile(path: string, body: string) {
  const d = await get('/api/v1/definitions');
  const files = (d.files ?? []).filter((f) => f.path !== path);
  files.push({ path, body });
  return must(api.PUT('/api/v1/definitions', { params: { header: { 'If-Match': d.tag ?? '' } }, body: { files } }));
}

// campaignFile writes a campaign as a definition. What people typed is quoted as JSON,
// which YAML reads as a text and nothing else.
export function campaignFile(c: {
  name: string;
  title: string;
  segment: string;
  template: string;
  at: string;
  rate: string;
  undo: string;
  reason: string;
}): string {
  const q = JSON.stringify;
  const lines = [`campaign: ${q(c.name)}`, `title: ${q(c.title)}`, `audience: {segment: ${q(c.segment)}}`, `template: ${q(c.template)}`];
  if (c.at) lines.push(`at: ${c.at.replace('T', ' ')}`);
  if (c.rate) lines.push(`rate: ${q(c.rate)}`);
  if (c.undo) lines.push(`undo: ${c.undo}`);
  lines.push(`reason: ${q(c.reason)}`);
  return lines.join('\n') + '\n';
}

// slug makes a name of a title, as definitions take it.
export function slug(title: string): string {
  return title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/ß/g, 'ss')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}
