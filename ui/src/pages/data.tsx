// What comes in, what was put aside, and what lies underneath.
import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, type ComponentType } from 'react';
import { Page } from '../parts/kit';
import { seen } from '../parts/seen';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

const parts: { part: string; text: Text; needs: string; page: ComponentType }[] = [
  { part: 'live', text: 'Live', needs: 'get_events_stream', page: lazy(() => import('./data-live').then((m) => ({ default: m.Live }))) },
  {
    part: 'connect',
    text: 'Connect',
    needs: 'get_stats',
    page: lazy(() => import('./data-connect').then((m) => ({ default: m.Connect }))),
  },
  {
    part: 'imports',
    text: 'Imports',
    needs: 'get_imports',
    page: lazy(() => import('./data-imports').then((m) => ({ default: m.Imports }))),
  },
  {
    part: 'aside',
    text: 'Put aside',
    needs: 'get_quarantine',
    page: lazy(() => import('./data-aside').then((m) => ({ default: m.Aside }))),
  },
  {
    part: 'catalogue',
    text: 'Catalogue',
    needs: 'get_products',
    page: lazy(() => import('./data-catalogue').then((m) => ({ default: m.Catalogue }))),
  },
  { part: 'stores', text: 'Stores', needs: 'get_stores', page: lazy(() => import('./data-stores').then((m) => ({ default: m.Stores }))) },
  { part: 'sql', text: 'SQL', needs: 'post_sql', page: lazy(() => import('./data-sql').then((m) => ({ default: m.SQL }))) },
];

export function Data() {
  const { t } = useWords();
  const may = useMay();
  const { part } = useParams({ strict: false }) as { part?: string };
  const mine = parts.filter((p) => may(p.needs));
  const here = mine.find((p) => p.part === part) ?? mine[0];
  const Shown = here?.page;
  return (
    <Page title={t('Data')} about={t('What comes in, what was put aside, and the tables underneath.')}>
      <nav className="tabs" aria-label={t('Data')}>
        {mine.map((p) => (
          <Link
            key={p.part}
            to={'/app/data/' + p.part}
            ref={p === here ? seen : undefined}
            data-status={p === here ? 'active' : undefined}
            aria-current={p === here ? 'page' : undefined}
          >
            {t(p.text)}
          </Link>
        ))}
      </nav>
      <Suspense
        fallback={
          <div className="empty" role="status">
            {t('One moment…')}
          </div>
        }
      >
        {Shown && <Shown />}
      </Suspense>
    </Page>
  );
}
