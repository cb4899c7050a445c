// Drafts of segments: what was changed and is not in force yet, as the server keeps it for
// who writes it.
import type { Json } from '../parts/condition-tree';
import type { Stored } from '../parts/drafts';
import type { Written } from './segment-file';

export interface Draft extends Written {
  before: string; // the definition of what it changes when the change began
}

export function draftIn(body: string): Draft | undefined {
  try {
    const d = JSON.parse(body) as Partial<Draft>;
    if (typeof d.name !== 'string') return undefined;
    return { name: d.name, label: d.label ?? '', about: d.about ?? '', when: d.when as Json, before: d.before ?? '' };
  } catch {
    return undefined; // damaged: there is none
  }
}

export const draftOf = (stored: Stored | null) => (stored ? draftIn(stored.body) : undefined);

export const bodyOf = (d: Draft) => JSON.stringify({ name: d.name, label: d.label, about: d.about, when: d.when, before: d.before });
