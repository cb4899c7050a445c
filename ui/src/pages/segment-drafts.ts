// Drafts of segments: what was changed and is not in force yet. They are kept in this
// browser, for nobody else, until they are put in force or thrown away.
import type { Json } from '../parts/condition-tree';
import type { Written } from './segment-file';

export interface Draft extends Written {
  old: string; // the segment that it changes; empty: a new one
  before: string; // its definition when the change began
  at: number;
}

const prefix = 'rapport.draft.segment.';
const fresh = '+new';

const keyOf = (old: string) => prefix + (old || fresh);

export function draftOf(old: string): Draft | undefined {
  try {
    const text = localStorage.getItem(keyOf(old));
    if (!text) return undefined;
    const d = JSON.parse(text) as Partial<Draft>;
    if (typeof d.name !== 'string' || typeof d.at !== 'number') return undefined;
    return { name: d.name, label: d.label ?? '', about: d.about ?? '', when: d.when as Json, old, before: d.before ?? '', at: d.at };
  } catch {
    return undefined; // damaged, or storage is forbidden: there is none
  }
}

export function keepDraft(d: Draft) {
  try {
    localStorage.setItem(keyOf(d.old), JSON.stringify(d));
  } catch {
    // Storage may be full or forbidden: then the draft lasts as long as the page.
  }
}

export function dropDraft(old: string) {
  localStorage.removeItem(keyOf(old));
}

export function drafts(): Draft[] {
  return Object.keys(localStorage)
    .filter((k) => k.startsWith(prefix))
    .map((k) => draftOf(k === prefix + fresh ? '' : k.slice(prefix.length)))
    .filter((d): d is Draft => d !== undefined);
}
