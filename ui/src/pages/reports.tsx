// Reports: each number has its table, its file, and the people behind it.
import { useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, type ComponentType } from 'react';
import { Page } from '../parts/kit';
import { seen } from '../parts/seen';
import { useWords, type Text } from '../words';

const of = <M,>(load: () => Promise<M>, name: keyof M) => lazy(async () => ({ default: (await load())[name] as ComponentType }));
const figures = () => import('./reports-figures');
const people = () => import('./reports-people');
const sent = () => import('./reports-sent');

const tabs: { part: string; text: Text; page: ComponentType }[] = [
  { part: 'figures', text: 'Figures', page: of(figures, 'Figures') },
  { part: 'hours', text: 'Hours', page: of(figures, 'Hours') },
  { part: 'funnel', text: 'Funnel', page: of(figures, 'Funnel') },
  { part: 'cohorts', text: 'Cohorts', page: of(people, 'Cohorts') },
  { part: 'rfm', text: 'RFM', page: of(people, 'RFM') },
  { part: 'stages', text: 'Stages of life', page: of(people, 'Stages') },
  { part: 'value', text: 'Value', page: of(people, 'Value') },
  { part: 'devices', text: 'Devices', page: of(figures, 'Devices') },
  { part: 'journeys', text: 'Journeys', page: of(sent, 'Journeys') },
  { part: 'messages', text: 'Messages', page: of(sent, 'Messages') },
  { part: 'recommendations', text: 'Recommendations', page: of(sent, 'Recommendations') },
  { part: 'models', text: 'Models', page: of(sent, 'Models') },
];

export function Reports() {
  const { t } = useWords();
  const go = useNavigate();
  const { part } = useParams({ strict: false }) as { part?: string };
  const here = tabs.find((x) => x.part === part) ?? tabs[0]!;
  const Shown = here.page;
  return (
    <Page title={t('Reports')} about={t('Added up from everything that was heard.')}>
      <div className="tabs" role="tablist" aria-label={t('Reports')}>
        {tabs.map((x) => (
          <button
            key={x.part}
            role="tab"
            ref={x === here ? seen : undefined}
            aria-selected={x === here}
            onClick={() => void go({ to: '/app/reports/' + x.part })}
          >
            {t(x.text)}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={t(here.text)}>
        <Suspense
          fallback={
            <div className="empty" role="status">
              {t('One moment…')}
            </div>
          }
        >
          <Shown />
        </Suspense>
      </div>
    </Page>
  );
}
