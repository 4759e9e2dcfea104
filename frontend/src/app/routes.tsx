/** The only list of paths. Screens are loaded when they are opened; what a link may carry is checked here. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { readActivitySearch } from '../features/activity/search';
import { readAlertsSearch } from '../features/alerts/search';
import { readDatasetSearch, readDatasetVersionSearch, readListSearch } from '../features/datasets/search';
import { readCompareSearch, readModelSearch, readModelsSearch, readVersionSearch } from '../features/models/search';
import { readMonitoringSearch } from '../features/monitoring/search';
import { readPredictionsSearch } from '../features/predictions/search';
import { readNewRunSearch, readRunSearch, readRunsSearch } from '../features/runs/search';
import { Callback } from './Callback';
import { NotFound, Nowhere, ScreenError } from './ErrorPages';
import { Root } from './Root';
import { SignedIn } from './SignedIn';

const root = createRootRoute({ component: Root, notFoundComponent: Nowhere });

const callback = createRoute({ getParentRoute: () => root, path: '/auth/callback', component: Callback });

const signedIn = createRoute({ getParentRoute: () => root, id: 'signed-in', component: SignedIn });

const overview = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  component: lazyRouteComponent(() => import('../features/overview/Overview')),
});

const runs = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs',
  validateSearch: readRunsSearch,
  component: lazyRouteComponent(() => import('../features/runs/Runs')),
});

const newRun = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs/new',
  validateSearch: readNewRunSearch,
  component: lazyRouteComponent(() => import('../features/runs/NewRun')),
});

const run = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs/$runId',
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import('../features/runs/Run')),
});

const compare = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs/compare',
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import('../features/models/Compare')),
});

const models = createRoute({
  getParentRoute: () => signedIn,
  path: '/models',
  validateSearch: readModelsSearch,
  component: lazyRouteComponent(() => import('../features/models/Models')),
});

const model = createRoute({
  getParentRoute: () => signedIn,
  path: '/models/$model',
  validateSearch: readModelSearch,
  component: lazyRouteComponent(() => import('../features/models/Model')),
});

const version = createRoute({
  getParentRoute: () => signedIn,
  path: '/models/$model/$number',
  validateSearch: readVersionSearch,
  component: lazyRouteComponent(() => import('../features/models/Version')),
});

const datasets = createRoute({
  getParentRoute: () => signedIn,
  path: '/datasets',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('../features/datasets/Datasets')),
});

const dataset = createRoute({
  getParentRoute: () => signedIn,
  path: '/datasets/$name',
  validateSearch: readDatasetSearch,
  component: lazyRouteComponent(() => import('../features/datasets/Dataset')),
});

const datasetVersion = createRoute({
  getParentRoute: () => signedIn,
  path: '/datasets/$name/$version',
  validateSearch: readDatasetVersionSearch,
  component: lazyRouteComponent(() => import('../features/datasets/Version')),
});

const predictions = createRoute({
  getParentRoute: () => signedIn,
  path: '/predictions',
  validateSearch: readPredictionsSearch,
  component: lazyRouteComponent(() => import('../features/predictions/Predictions')),
});

const batch = createRoute({
  getParentRoute: () => signedIn,
  path: '/predictions/$jobId',
  component: lazyRouteComponent(() => import('../features/predictions/Batch')),
});

const monitoring = createRoute({
  getParentRoute: () => signedIn,
  path: '/monitoring',
  validateSearch: readMonitoringSearch,
  component: lazyRouteComponent(() => import('../features/monitoring/Monitoring')),
});

const alerts = createRoute({
  getParentRoute: () => signedIn,
  path: '/alerts',
  validateSearch: readAlertsSearch,
  component: lazyRouteComponent(() => import('../features/alerts/Alerts')),
});

const alert = createRoute({
  getParentRoute: () => signedIn,
  path: '/alerts/$alertId',
  component: lazyRouteComponent(() => import('../features/alerts/Alert')),
});

const activity = createRoute({
  getParentRoute: () => signedIn,
  path: '/activity',
  validateSearch: readActivitySearch,
  component: lazyRouteComponent(() => import('../features/activity/Activity')),
});

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: '/settings',
  component: lazyRouteComponent(() => import('../features/settings/Settings')),
});

export const router = createRouter({
  routeTree: root.addChildren([callback, signedIn.addChildren([overview, runs, newRun, compare, run, models, model, version, datasets, dataset, datasetVersion, predictions, batch, monitoring, alerts, alert, activity, settings])]),
  defaultPreload: 'intent',
  defaultErrorComponent: ScreenError,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
