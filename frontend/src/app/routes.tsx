/** The only list of paths. Screens are loaded when they are opened; what a link may carry is checked here. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { readActivitySearch } from '../features/activity/search';
import { readAlertsSearch } from '../features/alerts/search';
import { readDatasetSearch, readDatasetVersionSearch, readListSearch } from '../features/datasets/search';
import { readCompareSearch, readModelSearch, readModelsSearch, readVersionSearch } from '../features/models/search';
import { readMonitoringSearch } from '../features/monitoring/search';
import { readPredictionsSearch } from '../features/predictions/search';
import { readNewRunSearch, readRunSearch, readRunsSearch } from '../features/runs/search';
import { early } from './queryClient';
import * as ask from '../api/queries';
import { settings as askSettings } from '../api/settingsQueries';

// What draws is loaded apart: an address is understood, and its question asked, while that is on the way.
const frame = () => import('./frame');

const root = createRootRoute({ notFoundComponent: lazyRouteComponent(frame, 'Nowhere') });

const callback = createRoute({ getParentRoute: () => root, path: '/auth/callback', component: lazyRouteComponent(frame, 'Callback') });

const signedIn = createRoute({ getParentRoute: () => root, id: 'signed-in', component: lazyRouteComponent(frame, 'SignedIn') });

const overview = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: ({ cause }) => early(cause, ask.overview()),
  component: lazyRouteComponent(() => import('../features/overview/Overview')),
});

const runs = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs',
  validateSearch: readRunsSearch,
  beforeLoad: ({ cause, search: { chosen: _, ...filters } }) => early(cause, ask.runs(filters)),
  component: lazyRouteComponent(() => import('../features/runs/Runs')),
});

const newRun = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs/new',
  validateSearch: readNewRunSearch,
  beforeLoad: ({ cause, search }) => early(cause, ask.training(search.dataset)),
  component: lazyRouteComponent(() => import('../features/runs/NewRun')),
});

const run = createRoute({
  getParentRoute: () => signedIn,
  path: '/runs/$runId',
  validateSearch: readRunSearch,
  beforeLoad: ({ cause, params }) => early(cause, ask.run(params.runId)),
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
  beforeLoad: ({ cause, search }) => early(cause, ask.models(search)),
  component: lazyRouteComponent(() => import('../features/models/Models')),
});

const model = createRoute({
  getParentRoute: () => signedIn,
  path: '/models/$model',
  validateSearch: readModelSearch,
  beforeLoad: ({ cause, params }) => early(cause, ask.model(params.model)),
  component: lazyRouteComponent(() => import('../features/models/Model')),
});

const version = createRoute({
  getParentRoute: () => signedIn,
  path: '/models/$model/$number',
  validateSearch: readVersionSearch,
  beforeLoad: ({ cause, params }) => early(cause, ask.modelVersion(`${params.model}:${params.number}`)),
  component: lazyRouteComponent(() => import('../features/models/Version')),
});

const datasets = createRoute({
  getParentRoute: () => signedIn,
  path: '/datasets',
  validateSearch: readListSearch,
  beforeLoad: ({ cause, search }) => early(cause, ask.datasets(search)),
  component: lazyRouteComponent(() => import('../features/datasets/Datasets')),
});

const dataset = createRoute({
  getParentRoute: () => signedIn,
  path: '/datasets/$name',
  validateSearch: readDatasetSearch,
  beforeLoad: ({ cause, params }) => early(cause, ask.dataset(params.name)),
  component: lazyRouteComponent(() => import('../features/datasets/Dataset')),
});

const datasetVersion = createRoute({
  getParentRoute: () => signedIn,
  path: '/datasets/$name/$version',
  validateSearch: readDatasetVersionSearch,
  beforeLoad: ({ cause, params }) => early(cause, ask.datasetVersion(params.name, Number(params.version))),
  component: lazyRouteComponent(() => import('../features/datasets/Version')),
});

const predictions = createRoute({
  getParentRoute: () => signedIn,
  path: '/predictions',
  validateSearch: readPredictionsSearch,
  beforeLoad: ({ cause, search }) => early(cause, ask.predictions(search.model)),
  component: lazyRouteComponent(() => import('../features/predictions/Predictions')),
});

const batch = createRoute({
  getParentRoute: () => signedIn,
  path: '/predictions/$jobId',
  beforeLoad: ({ cause, params }) => early(cause, ask.batch(params.jobId)),
  component: lazyRouteComponent(() => import('../features/predictions/Batch')),
});

const monitoring = createRoute({
  getParentRoute: () => signedIn,
  path: '/monitoring',
  validateSearch: readMonitoringSearch,
  beforeLoad: ({ cause, search: { day: _, ...asked } }) => early(cause, ask.monitoring(asked)),
  component: lazyRouteComponent(() => import('../features/monitoring/Monitoring')),
});

const alerts = createRoute({
  getParentRoute: () => signedIn,
  path: '/alerts',
  validateSearch: readAlertsSearch,
  beforeLoad: ({ cause, search }) => early(cause, ask.alerts(search)),
  component: lazyRouteComponent(() => import('../features/alerts/Alerts')),
});

const alert = createRoute({
  getParentRoute: () => signedIn,
  path: '/alerts/$alertId',
  beforeLoad: ({ cause, params }) => early(cause, ask.alert(params.alertId)),
  component: lazyRouteComponent(() => import('../features/alerts/Alert')),
});

const activity = createRoute({
  getParentRoute: () => signedIn,
  path: '/activity',
  validateSearch: readActivitySearch,
  beforeLoad: ({ cause, search }) => early(cause, ask.activity(search)),
  component: lazyRouteComponent(() => import('../features/activity/Activity')),
});

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: '/settings',
  beforeLoad: ({ cause }) => early(cause, askSettings()),
  component: lazyRouteComponent(() => import('../features/settings/Settings')),
});

export const router = createRouter({
  routeTree: root.addChildren([callback, signedIn.addChildren([overview, runs, newRun, compare, run, models, model, version, datasets, dataset, datasetVersion, predictions, batch, monitoring, alerts, alert, activity, settings])]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
