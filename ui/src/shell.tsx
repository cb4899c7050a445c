// What stands around every page.
import { Link, Outlet } from '@tanstack/react-router';
import { useQueryClient } from '@tanstack/react-query';
import { api, must, useGet } from './api';
import { enterAs, useMay, useMe } from './session';
import { useWords, type Language, type Text, type Theme } from './words';

const places: { to: string; text: Text; icon: string; needs: string }[] = [
  { to: '/app/', text: 'Home', icon: 'M3 8l5-5 5 5v5H3z', needs: 'get_health' },
  { to: '/app/customers', text: 'Customers', icon: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14a5.5 5.5 0 0 1 11 0', needs: 'get_customers' },
  { to: '/app/segments', text: 'Segments', icon: 'M6 6a4 4 0 1 0 0 .1M10 10a4 4 0 1 0 0 .1', needs: 'get_segments' },
  { to: '/app/journeys', text: 'Journeys', icon: 'M4 3v4a3 3 0 0 0 3 3h5M10 7.5l2.5 2.5L10 12.5M4 3h.01', needs: 'get_journeys' },
  { to: '/app/campaigns', text: 'Campaigns', icon: 'M2.5 4h11v8h-11zM3 4.5l5 4 5-4', needs: 'get_campaigns' },
  { to: '/app/templates', text: 'Templates', icon: 'M3 2.5h10v11H3zM5 5.5h6M5 8h6M5 10.5h3', needs: 'get_templates' },
  { to: '/app/reports', text: 'Reports', icon: 'M3 13V8M8 13V3M13 13v-7', needs: 'get_reports_kpis' },
  { to: '/app/data', text: 'Data', icon: 'M3 4c0-2 10-2 10 0v8c0 2-10 2-10 0zM3 4c0 2 10 2 10 0M3 8c0 2 10 2 10 0', needs: 'get_imports' },
  { to: '/app/settings', text: 'Settings', icon: 'M2 5h7M12 5h2M2 11h2M7 11h7M10.5 3.5v3M5.5 9.5v3', needs: 'get_domains' },
];

export function Shell() {
  const { t, language, setLanguage, theme, setTheme } = useWords();
  const me = useMe();
  const may = useMay();
  const cache = useQueryClient();
  const program = useGet('/api/v1/program', undefined, { retry: false });
  const signOut = async () => {
    await must(api.DELETE('/api/v1/session'));
    enterAs(cache, null);
  };
  return (
    <div className="shell">
      <nav className="side" aria-label={t('Main')}>
        <div className="brand">
          <img src="/ui/icon.svg" alt="" />
          <span>
            Rapport
            <small>{program.data?.name ?? ''}</small>
          </span>
        </div>
        {places
          .filter((p) => may(p.needs))
          .map((p) => (
            <Link key={p.to} to={p.to} className="nav" activeOptions={{ exact: p.to === '/app/' }}>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d={p.icon} />
              </svg>
              {t(p.text)}
            </Link>
          ))}
        <div className="rest small">
          <div className="row">
            <select aria-label={t('Language')} value={language} onChange={(e) => setLanguage(e.target.value as Language)}>
              <option value="en">English</option>
              <option value="de">Deutsch</option>
            </select>
            <select aria-label={t('Theme')} value={theme} onChange={(e) => setTheme(e.target.value as Theme)}>
              <option value="auto">{t('As the system')}</option>
              <option value="light">{t('Light')}</option>
              <option value="dark">{t('Dark')}</option>
            </select>
          </div>
          <div>
            <b>{me.name}</b>
            <div className="soft">{t(me.role as Text)}</div>
            {me.masked && <div className="soft">{t('Names are masked.')}</div>}
          </div>
          <div className="row">
            <Link to="/app/settings/account">{t('Account')}</Link>
            <button className="link" onClick={() => void signOut()}>
              {t('Sign out')}
            </button>
          </div>
        </div>
      </nav>
      <main className="main">
        <Outlet />
      </main>
    </div>
  );
}
