// The person who is signed in.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { api, must } from '../api';
import { Facts, Failure, Page, Panel } from '../parts/kit';
import { useMe } from '../session';
import { useWords, type Text } from '../words';

export function Account() {
  const { t } = useWords();
  const me = useMe();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: (f: FormData) =>
      must(api.PUT('/api/v1/session/password', { body: { old: String(f.get('old')), password: String(f.get('password')) } })),
    onSuccess: (m) => cache.setQueryData(['me'], m),
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    const form = e.currentTarget;
    change.mutate(new FormData(form), { onSuccess: () => form.reset() });
  };
  return (
    <Page title={t('Account')}>
      <div className="grid2">
        <Panel title={t('Password')}>
          <form className="stack" onSubmit={submit}>
            <label className="field">
              {t('The old one')}
              <input name="old" type="password" autoComplete="current-password" required />
            </label>
            <label className="field">
              {t('The new one')}
              <input name="password" type="password" autoComplete="new-password" minLength={12} required />
              <small>{t('At least 12 characters. A few words in a row are good.')}</small>
            </label>
            <Failure error={change.error} />
            {change.isSuccess && (
              <div className="note good" role="status">
                {t('Done. Every other session has ended.')}
              </div>
            )}
            <div>
              <button className="primary" disabled={change.isPending}>
                {t('Change the password')}
              </button>
            </div>
          </form>
        </Panel>
        <Panel title={t('You')}>
          <Facts
            of={[
              [t('Name'), me.name],
              [t('E-mail'), me.email],
              [t('Role'), t(me.role as Text)],
            ]}
          />
        </Panel>
      </div>
    </Page>
  );
}
