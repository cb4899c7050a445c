// A test goes to somebody of the shop, and to no customer.
import { useMutation } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { api, must, type Schemas } from '../api';
import { Ask, Failure } from './kit';
import { useMe } from '../session';
import { useWords } from '../words';

export function TestSend({
  open,
  onClose,
  path,
  name,
  customer,
  locale,
  files,
}: {
  open: boolean;
  onClose: () => void;
  path: '/api/v1/templates/{name}/test' | '/api/v1/campaigns/{name}/test';
  name: string;
  customer: string;
  locale: string;
  files: Schemas['File'][];
}) {
  const { t } = useWords();
  const me = useMe();
  const send = useMutation({
    mutationFn: (to: string) =>
      must(
        api.POST(path, {
          params: { path: { name } },
          body: { to, ...(customer ? { customer } : {}), ...(locale ? { locale } : {}), ...(files.length ? { files } : {}) },
        }),
      ),
  });
  const close = () => {
    send.reset();
    onClose();
  };
  return (
    <Ask open={open} onClose={close} title={t('Send a test')}>
      <form
        onSubmit={(e: FormEvent<HTMLFormElement>) => {
          e.preventDefault();
          send.mutate(String(new FormData(e.currentTarget).get('to')).trim());
        }}
      >
        <label className="field">
          {t('To')}
          <input name="to" type="email" required maxLength={254} defaultValue={me.email} />
          <small>{t('It says [Test] in its subject, counts nowhere, and stands in no customer’s history.')}</small>
        </label>
        {send.data && (
          <div className={'note ' + (send.data.state === 'accepted' ? 'good' : 'bad')} role="status">
            {send.data.state === 'accepted'
              ? t('“{subject}” is on its way to {to}.', { subject: send.data.subject, to: send.data.to })
              : t('It was not taken: {why}', { why: send.data.detail || send.data.state })}
          </div>
        )}
        <Failure error={send.error} />
        <div className="row">
          <button className="primary" disabled={send.isPending}>
            {send.data ? t('Send it once more') : t('Send')}
          </button>
          <button type="button" onClick={close}>
            {t('Close')}
          </button>
        </div>
      </form>
    </Ask>
  );
}
