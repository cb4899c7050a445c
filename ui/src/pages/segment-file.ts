// A segment within the files of the definitions: put in the place of what was there,
// renamed with all that names it, or taken out. Comments above it and everything else in
// the file stay as they are.
import { yaml, type Json } from '../parts/condition-tree';

export interface File {
  path: string;
  body: string;
}

export interface Written {
  name: string;
  label: string;
  about: string;
  when: Json;
}

// Strange is said of a definition that this page cannot change without harm.
export class Strange extends Error {}

const q = (s: string) =>
  /^[\p{L}][\p{L}\p{N} ,.’()&/-]*$/u.test(s) && !/(^(true|false|null|yes|no|on|off)$)|: | #| $/i.test(s) ? s : JSON.stringify(s);

// segmentText writes the definition of a segment.
export function segmentText(s: Written, rest: string[] = []): string {
  const lines = [`segment: ${s.name}`];
  if (s.label) lines.push(`label: ${q(s.label)}`);
  if (s.about) lines.push(`about: ${q(s.about)}`);
  lines.push(...rest);
  const when = yaml(s.when);
  const flow = whole(s.when);
  lines.push(flow ? `when: ${flow}` : 'when:\n' + when.replace(/^(?=.)/gm, '  '));
  return lines.join('\n') + '\n';
}

// whole is a condition on one line, if it is short.
function whole(when: Json): string | undefined {
  const one = yaml([when]).replace(/^- /, '');
  return one.startsWith('{') && !one.includes('\n') && one.length <= 110 ? one : undefined;
}

interface Found {
  file: File;
  docs: string[]; // what stands between the lines of ---
  marks: string[]; // those lines
  index: number;
}

function find(files: File[], name: string): Found | undefined {
  for (const file of files) {
    if (!file.path.startsWith('segments/') || !file.path.endsWith('.yaml')) continue;
    const docs: string[] = [''];
    const marks: string[] = [];
    for (const line of file.body.split(/(?<=\n)/)) {
      if (/^---(\s|$)/.test(line)) {
        marks.push(line);
        docs.push('');
      } else docs[docs.length - 1] += line;
    }
    const own = new RegExp(`^segment:\\s*["']?${name}["']?\\s*(#.*)?$`, 'm');
    let index = docs.findIndex((d) => own.test(d));
    const base = file.path.slice('segments/'.length, -'.yaml'.length);
    const real = docs.filter((d) => /^[^#\s]/m.test(d));
    if (index < 0 && base === name && real.length === 1 && !/^segment:/m.test(real[0] as string) && !/^-/m.test(real[0] as string))
      index = docs.indexOf(real[0] as string);
    if (index >= 0) return { file, docs, marks, index };
    if (new RegExp(`segment["']?:\\s*["']?${name}["']?\\s*$`, 'm').test(file.body) && /^- /m.test(file.body)) throw new Strange(file.path);
  }
  return undefined;
}

function join(f: Found, docs: string[], marks = f.marks): string {
  return docs.map((d, i) => (i > 0 ? marks[i - 1] : '') + d).join('');
}

// textOf returns a segment's definition as it stands, undefined if there is none.
export function textOf(files: File[], name: string): string | undefined {
  const found = find(files, name);
  return found?.docs[found.index];
}

// withSegment puts a segment in the place of the one of the old name, or in a file of its
// own.
export function withSegment(files: File[], s: Written, old?: string): File[] {
  const found = old === undefined ? undefined : find(files, old);
  if (!found) {
    if (old !== undefined) throw new Strange(old);
    if (find(files, s.name)) throw new Strange(s.name);
    let path = `segments/${s.name}.yaml`;
    for (let i = 2; files.some((f) => f.path === path); i++) path = `segments/${s.name}-${i}.yaml`;
    return [...files, { path, body: segmentText(s) }];
  }
  const doc = found.docs[found.index] as string;
  const head = /^(?:\s*(?:#.*)?\n)*/.exec(doc)?.[0] ?? '';
  const foot = /(?:\n[ \t]*(?:#.*)?)*\n?$/.exec(doc.slice(head.length))?.[0] ?? '';
  const trigger = /^trigger:.*$/m.exec(doc)?.[0];
  const body = segmentText(s, trigger ? [trigger] : []);
  const docs = found.docs.map((d, i) =>
    i === found.index ? head + body + (foot.replace(/^\n/, '').trim() ? foot.replace(/^\n/, '') : '') : d,
  );
  let next = files.map((f) => (f === found.file ? { ...f, body: join(found, docs) } : f));
  if (old !== undefined && old !== s.name) next = next.map((f) => ({ ...f, body: renamed(f, old, s.name) }));
  return next;
}

// renamed puts another name wherever a definition names the segment.
function renamed(f: File, from: string, to: string): string {
  if (!f.path.endsWith('.yaml')) return f.body;
  const names = new RegExp(`(^|[\\s{,[-])((?:not_in_)?segment["']?:[ \\t]*)(["']?)${from}\\3(?=[ \\t]*(?:[,}\\]#]|$))`, 'gm');
  return f.body.replace(names, `$1$2$3${to}$3`);
}

// withoutSegment takes a segment out, and its file if nothing else is in it.
export function withoutSegment(files: File[], name: string): File[] {
  const found = find(files, name);
  if (!found) throw new Strange(name);
  const docs = found.docs.filter((_, i) => i !== found.index);
  // The line that parted it from what is above goes with it, or the one below.
  const marks = found.marks.filter((_, i) => i !== Math.max(0, found.index - 1));
  const body = join(found, docs, marks);
  if (!/^[^#\s-]/m.test(body)) return files.filter((f) => f !== found.file);
  return files.map((f) => (f === found.file ? { ...f, body } : f));
}
