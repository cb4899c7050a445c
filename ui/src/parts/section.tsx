// One part of a file of definitions, as a form. A form changes its own part of the file;
// every other line stays as it was written.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { get, useGet } from '../api';
import { useWords } from '../words';
import { changeFiles, withSection, type Json, type Tree } from './files';
import { Failure, State } from './kit';

export const file = 'shop.yaml';
export const str = (v: Json | undefined) => (v === null || v === undefined || typeof v === 'object' ? '' : String(v));
export const map = (v: Json | undefined): Tree => (v !== null && typeof v === 'object' && !Array.isArray(v) ? v : {});

// useSection reads a file of YAML and writes one key of it.
export function useSection(path: string) {
  const cache = useQueryClient();
  const tree = useGet('/api/v1/definitions/tree', { query: { path } }, { retry: false });
  const save = useMutation({
    mutationFn: async (changes: Record<string, Json | undefined>) => {
      const d = await get('/api/v1/definitions');
      let text = (d.files ?? []).find((f) => f.path === path)?.body ?? '';
      for (const [key, value] of Object.entries(changes)) text = withSection(text, key, value);
      return changeFiles({ [path]: text });
    },
    onSuccess: () => void cache.invalidateQueries(),
  });
  const value = map(tree.data?.value as Json | undefined);
  return { tree, value, save };
}

export function Wanting({ of, children }: { of: ReturnType<typeof useSection>; children: (value: Tree) => ReactNode }) {
  const { t } = useWords();
  if (of.tree.error) return <div className="note">{t('The definitions have no {file} yet.', { file })}</div>;
  return <State of={of.tree}>{() => children(of.value)}</State>;
}

export const tidy = (t: Tree): Tree => Object.fromEntries(Object.entries(t).filter(([, v]) => v !== '' && v !== undefined && v !== null));

// End is how a form of definitions ends: what went wrong, and the ways out.
export function End({
  save,
  onRemove,
  onClose,
}: {
  save: ReturnType<typeof useSection>['save'];
  onRemove?: () => void;
  onClose: () => void;
}) {
  const { t } = useWords();
  return (
    <>
      <Failure error={save.error} />
      <div className="row">
        <button className="primary" disabled={save.isPending}>
          {t('Put in force')}
        </button>
        {onRemove && (
          <button type="button" className="danger" onClick={onRemove}>
            {t('Take out')}
          </button>
        )}
        <button type="button" onClick={onClose}>
          {t('Cancel')}
        </button>
      </div>
    </>
  );
}
