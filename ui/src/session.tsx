// Who is signed in, and the pages for who is not.
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, useContext, useState, type FormEvent, type ReactNode } from 'react';
import { api, get, must, Trouble, type Schemas } from './api';
import { Failure } from './parts/kit';
import { useWords } from './words';

type Me = Schemas['Me'];
const Context = createContext<Me | null>(null);

export function useMe(): Me {
  const me = useContext(Context);
  if (!me) throw new Error('nobody is signed in');
  return me;
}

// useMay tells whether the role may do an operation, so that no button is shown
// that the API would refuse.
export function useMay(): (operation: string) => boolean {
  const me = useMe();
  return (operation) => (me.may ?? []).includes(operation);
}

export function SignedIn({ children }: { children: ReactNode }) {
  const { t } = useWords();
  const me = useQuery({
    queryKey: ['me'],
    retry: false,
    staleTime: Infinity,
    queryFn: async () => {
      try {
        return await get('/api/v1/session');
      } catch (e) {
        if (e instanceof Trouble && e.status === 401) return null;
        throw e;
      }
    },
  });
  const setup = useQuery({ queryKey: ['setup'], retry: false, enabled: me.data === null, queryFn: () => get('/api/v1/setup') });
  if (me.data) return <Context.Provider value={me.data}>{children}</Context.Provider>;
  if (me.data === undefined || setup.isPending)
    return (
      <div className="gate">
        <div role="status">{me.error ? me.error.message : t('One moment…')}</div>
      </div>
    );
  const token = location.hash.slice(1);
  if (location.pathname === '/setup' && token) return <Link kind="setup" token={token} />;
  if (location.pathname === '/join' && token) return <Link kind="join" token={token} />;
  return <SignIn first={setup.data?.needed ?? false} />;
}

// enterAs makes somebody, or nobody, the one who is signed in, and forgets what the
// one before saw. What the app watches must stay in the cache, or it would not notice.
export function enterAs(cache: QueryClient, me: Me | null) {
  cache.removeQueries({ predicate: (q) => q.queryKey[0] !== 'me' });
  cache.setQueryData(['me'], me);
}

function useEntry(enter: (f: FormData) => Promise<Me>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: enter,
    onSuccess: (me) => {
      if (location.pathname !== '/' && !location.pathname.startsWith('/app')) history.replaceState(null, '', '/app/');
      enterAs(cache, me);
    },
  });
}

function Gate({
  title,
  about,
  children,
  onSubmit,
}: {
  title: string;
  about?: string;
  children?: ReactNode;
  onSubmit: (f: FormData) => void;
}) {
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    onSubmit(new FormData(e.currentTarget));
  };
  return (
    <main className="gate">
      <form className="panel" onSubmit={submit}>
        <img src="/ui/icon.svg" alt="" />
        <div>
          <h1>{title}</h1>
          {about && <p className="soft">{about}</p>}
        </div>
        {children}
      </form>
    </main>
  );
}

function SignIn({ first }: { first: boolean }) {
  const { t } = useWords();
  const enter = useEntry((f) =>
    must(api.POST('/api/v1/session', { body: { email: String(f.get('email')), password: String(f.get('password')) } })),
  );
  if (first)
    return (
      <Gate
        title={t('Welcome to Rapport')}
        about={t('Nobody works here yet. The server printed a link when it started: open it to be the owner.')}
        onSubmit={() => {}}
      />
    );
  return (
    <Gate title={t('Sign in')} about={t('With the address that you were invited by.')} onSubmit={(f) => enter.mutate(f)}>
      <label className="field">
        {t('E-mail')}
        <input name="email" type="email" autoComplete="username" required />
      </label>
      <label className="field">
        {t('Password')}
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <Failure error={enter.error} />
      <button className="primary" disabled={enter.isPending}>
        {t('Sign in')}
      </button>
    </Gate>
  );
}

function Link({ kind, token }: { kind: 'setup' | 'join'; token: string }) {
  const { t } = useWords();
  const [wrong, setWrong] = useState('');
  const enter = useEntry((f) => {
    const self = { token, name: String(f.get('name')), password: String(f.get('password')) };
    return kind === 'setup'
      ? must(api.POST('/api/v1/setup', { body: { ...self, email: String(f.get('email')) } }))
      : must(api.POST('/api/v1/invitations/accept', { body: self }));
  });
  return (
    <Gate
      title={kind === 'setup' ? t('Welcome to Rapport') : t('Come in')}
      about={kind === 'setup' ? t('You are the first here, and will be the owner.') : t('Choose a name and a password.')}
      onSubmit={(f) => {
        const differ = f.get('password') !== f.get('again');
        setWrong(differ ? t('The two passwords differ.') : '');
        if (!differ) enter.mutate(f);
      }}
    >
      {kind === 'setup' && (
        <label className="field">
          {t('E-mail')}
          <input name="email" type="email" autoComplete="username" required />
        </label>
      )}
      <label className="field">
        {t('Your name')}
        <input name="name" autoComplete="name" maxLength={80} required />
      </label>
      <label className="field">
        {t('Password')}
        <input name="password" type="password" autoComplete="new-password" minLength={12} maxLength={256} required />
        <small>{t('At least 12 characters. A few words in a row are good.')}</small>
      </label>
      <label className="field">
        {t('The same password again')}
        <input name="again" type="password" autoComplete="new-password" required />
      </label>
      {wrong && (
        <div className="note bad" role="alert">
          {wrong}
        </div>
      )}
      <Failure error={enter.error} />
      <button className="primary" disabled={enter.isPending}>
        {t('Begin')}
      </button>
    </Gate>
  );
}
