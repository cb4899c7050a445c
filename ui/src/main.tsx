import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Trouble } from './api';
import { SignedIn } from './session';
import { Shell } from './shell';
import { WordsProvider } from './words';
import './style/base.css';
import './style/segments.css';
import './style/journeys.css';
import './style/campaigns.css';
import './style/data.css';

const root = createRootRoute({ component: Shell });
const at = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => root, path, component });
const elsewhere = <P extends string>(path: P) =>
  createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: () => {
      throw redirect({ to: '/app/' });
    },
  });

// Each page is loaded when it is first shown: the canvas and the editor are large.
const tree = root.addChildren([
  elsewhere('/'),
  elsewhere('/setup'),
  elsewhere('/join'),
  at(
    '/app/',
    lazyRouteComponent(() => import('./pages/home'), 'Home'),
  ),
  at(
    '/app/customers',
    lazyRouteComponent(() => import('./pages/customers'), 'Customers'),
  ),
  at(
    '/app/customers/$id',
    lazyRouteComponent(() => import('./pages/customer'), 'Customer'),
  ),
  at(
    '/app/messages/$id',
    lazyRouteComponent(() => import('./pages/message'), 'Message'),
  ),
  at(
    '/app/segments',
    lazyRouteComponent(() => import('./pages/segments'), 'Segments'),
  ),
  at(
    '/app/segments/$name',
    lazyRouteComponent(() => import('./pages/segments'), 'Segment'),
  ),
  at(
    '/app/journeys',
    lazyRouteComponent(() => import('./pages/journeys'), 'Journeys'),
  ),
  at(
    '/app/journeys/$name',
    lazyRouteComponent(() => import('./pages/journey'), 'Journey'),
  ),
  at(
    '/app/campaigns',
    lazyRouteComponent(() => import('./pages/campaigns'), 'Campaigns'),
  ),
  at(
    '/app/campaigns/$name',
    lazyRouteComponent(() => import('./pages/campaign'), 'Campaign'),
  ),
  at(
    '/app/templates',
    lazyRouteComponent(() => import('./pages/templates'), 'Templates'),
  ),
  at(
    '/app/templates/$name',
    lazyRouteComponent(() => import('./pages/template'), 'Template'),
  ),
  at(
    '/app/reports',
    lazyRouteComponent(() => import('./pages/reports'), 'Reports'),
  ),
  at(
    '/app/data',
    lazyRouteComponent(() => import('./pages/data'), 'Data'),
  ),
  at(
    '/app/data/$part',
    lazyRouteComponent(() => import('./pages/data'), 'Data'),
  ),
  at(
    '/app/data/$part/$id',
    lazyRouteComponent(() => import('./pages/data'), 'Data'),
  ),
  at(
    '/app/reports/$part',
    lazyRouteComponent(() => import('./pages/reports'), 'Reports'),
  ),
  at(
    '/app/settings',
    lazyRouteComponent(() => import('./pages/settings'), 'Settings'),
  ),
  at(
    '/app/settings/account',
    lazyRouteComponent(() => import('./pages/account'), 'Account'),
  ),
]);

const router = createRouter({ routeTree: tree, defaultPreload: 'intent', trailingSlash: 'preserve' });

const cache = new QueryClient({
  defaultOptions: {
    // The server may be this machine: that there is no network says nothing about it.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (n, e) => n < 2 && e instanceof Trouble && e.status === 503,
    },
  },
});

const box = document.getElementById('root');
if (box)
  createRoot(box).render(
    <StrictMode>
      <QueryClientProvider client={cache}>
        <WordsProvider>
          <SignedIn>
            <RouterProvider router={router} />
          </SignedIn>
        </WordsProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
