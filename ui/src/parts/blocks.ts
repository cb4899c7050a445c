// A message of MJML as a row of blocks. The source stays what is true: it is cut into
// pieces that put together are the same text, and a change of one field changes that
// place alone.

export interface Pieces {
  before: string; // settings, head, the beginning of the body
  blocks: string[]; // each an element at the top of the body, with what stands before it
  after: string;
}

const tops = ['mj-section', 'mj-wrapper', 'mj-hero', 'mj-raw'];

// split cuts a source. What it does not understand is one block as it stands.
export function split(source: string): Pieces {
  let from = 0;
  let to = source.length;
  const head = /^---\n[\s\S]*?\n---\n/.exec(source);
  if (head) from = head[0].length;
  const body = /<mj-body\b[^>]*>/.exec(source);
  if (body) {
    from = body.index + body[0].length;
    const end = source.lastIndexOf('</mj-body>');
    if (end >= from) to = end;
  }
  const blocks: string[] = [];
  let at = from;
  const open = new RegExp(`<(${tops.join('|')})\\b[^>]*?(/?)>`, 'g');
  open.lastIndex = from;
  for (let m = open.exec(source); m && m.index < to; m = open.exec(source)) {
    let end = m.index + m[0].length;
    if (m[2] !== '/') end = closing(source, m[1]!, end);
    if (end < 0 || end > to) break;
    blocks.push(source.slice(at, end));
    at = end;
    open.lastIndex = end;
  }
  return { before: source.slice(0, from), blocks, after: source.slice(at) };
}

function closing(source: string, name: string, from: number): number {
  const tag = new RegExp(`<(/?)${name}\\b[^>]*?(/?)>`, 'g');
  tag.lastIndex = from;
  let depth = 1;
  for (let m = tag.exec(source); m; m = tag.exec(source)) {
    if (m[1] === '/') depth--;
    else if (m[2] !== '/') depth++;
    if (depth === 0) return m.index + m[0].length;
  }
  return -1;
}

export function join(p: Pieces): string {
  return p.before + p.blocks.join('') + p.after;
}

export type Field = { kind: 'text' | 'attribute'; label: string; tag: string; value: string; start: number; end: number };

const shown: Record<string, string[]> = {
  'mj-image': ['src', 'alt', 'href', 'width'],
  'mj-button': ['href'],
};

// fields are the places of a block that people write in, in the order of the source.
export function fields(block: string): Field[] {
  const list: Field[] = [];
  const tag = /<(mj-text|mj-button|mj-image)\b((?:"[^"]*"|[^">])*?)(\/?)>/g;
  for (let m = tag.exec(block); m; m = tag.exec(block)) {
    const name = m[1]!;
    const inside = m.index + 1 + name.length;
    for (const key of shown[name] ?? []) {
      const a = new RegExp(`(\\s${key}=")([^"]*)"`).exec(m[2]!);
      if (!a) continue;
      const start = inside + a.index + a[1]!.length;
      list.push({ kind: 'attribute', label: key, tag: name, value: unescaped(a[2]!), start, end: start + a[2]!.length });
    }
    if (name === 'mj-image' || m[3] === '/') continue;
    const start = m.index + m[0].length;
    const end = block.indexOf(`</${name}>`, start);
    if (end < 0) continue;
    list.push({ kind: 'text', label: 'text', tag: name, value: block.slice(start, end).trim(), start, end });
  }
  return list;
}

const unescaped = (s: string) => s.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
export const quoted = (s: string) => s.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

// write puts a value into the place of a field. An attribute is escaped as one; the
// text of a block is HTML and Liquid, as the code shows it.
export function write(block: string, f: Field, value: string): string {
  return block.slice(0, f.start) + (f.kind === 'attribute' ? quoted(value) : value) + block.slice(f.end);
}

// kind names a block by what is in it.
export function kind(block: string): string {
  const marked = /<!-- block: ([a-z0-9-]+) -->/.exec(block);
  if (marked) return marked[1]!;
  if (/mj-image/.test(block)) return 'picture';
  if (/mj-button/.test(block)) return 'button';
  if (/mj-divider/.test(block)) return 'divider';
  if (/mj-text/.test(block)) return 'text';
  return 'code';
}

export const palette = ['heading', 'text', 'button', 'picture', 'products', 'divider', 'ean13', 'qr', 'footer'] as const;
export type Palette = (typeof palette)[number];

// made is a ready block. Colours are the brand's where it has them.
export function made(what: Palette, has: (path: string) => boolean, picture?: { name: string; alt: string }): string {
  const color = (name: string, otherwise: string) => (has('brand.colors.' + name) ? `{{ brand.colors.${name} }}` : otherwise);
  const accent = color('accent', '#0b6b62');
  const ink = color('ink', '#1d1c19');
  const quiet = color('quiet', '#5d5a52');
  const section = (inner: string, pad = '12px 24px') =>
    `\n    <mj-section padding="${pad}"><!-- block: ${what} -->\n      <mj-column>\n        ${inner.trim().replaceAll('\n', '\n        ')}\n      </mj-column>\n    </mj-section>`;
  switch (what) {
    case 'heading':
      return section(
        `<mj-text font-size="26px" line-height="1.25" font-weight="bold" color="${ink}">\n  {{ customer.first_name | default: 'Hello' }}, this is new\n</mj-text>`,
      );
    case 'text':
      return section(`<mj-text font-size="16px" line-height="1.55" color="${ink}">\n  Write here what you want to say.\n</mj-text>`);
    case 'button':
      return section(
        `<mj-button href="${has('shop.website') ? '{{ shop.website }}' : 'https://example.com'}" background-color="${accent}" color="#ffffff" border-radius="6px" font-size="16px">\n  Have a look\n</mj-button>`,
      );
    case 'picture':
      return section(
        `<mj-image src="pictures/${picture?.name ?? 'picture.jpg'}" alt="${quoted(picture?.alt ?? '')}" width="552px" />`,
        '12px 0',
      );
    case 'products':
      return section(
        `<mj-text font-size="16px" line-height="1.5" color="${ink}">\n  {% assign found = 'popular' | recommend: 3 %}{% for item in found %}<p><a href="{{ item.url | default: shop.website }}" style="color:${ink};">{{ item.name }}</a><br>{{ item.price | money: item.currency }}</p>{% endfor %}\n</mj-text>`,
      );
    case 'divider':
      return section(`<mj-divider border-width="1px" border-color="${color('line', '#e4e1da')}" />`, '4px 24px');
    case 'ean13':
      return section(`<mj-image src="{{ '4006381333931' | ean13 }}" alt="4006381333931" width="256px" />`);
    case 'qr':
      return section(`<mj-image src="{{ shop.website | qr }}" alt="The code leads to our shop" width="200px" />`);
    case 'footer':
      return section(
        `<mj-text font-size="13px" line-height="1.5" color="${quiet}" align="center">\n  {{ shop.postal }}<br>\n  <a href="{{ unsubscribe_url }}" style="color:${quiet};">Unsubscribe</a> · <a href="{{ preferences_url }}" style="color:${quiet};">What we may write about</a>\n</mj-text>`,
        '28px 24px',
      );
  }
}

// fresh is a whole new message of MJML.
export function fresh(label: string, subject: string, has: (path: string) => boolean): string {
  const line = (s: string) => JSON.stringify(s.replace(/\s+/g, ' ').trim());
  const ground = has('brand.colors.ground') ? '{{ brand.colors.ground }}' : '#f7f6f3';
  const font = has('brand.fonts.body') ? '{{ brand.fonts.body }}' : 'Helvetica, Arial, sans-serif';
  const blocks = (['heading', 'text', 'button', 'footer'] as const).map((k) => made(k, has)).join('\n');
  return `---\nlabel: ${line(label)}\nsubject: ${line(subject)}\n---\n<mjml>\n  <mj-head>\n    <mj-attributes>\n      <mj-all font-family="${font}" />\n    </mj-attributes>\n  </mj-head>\n  <mj-body background-color="${ground}">${blocks}\n  </mj-body>\n</mjml>\n`;
}
