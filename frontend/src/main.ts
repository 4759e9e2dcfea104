// First, so that what a part says of itself counts more.
import './ui/tokens.css';
import './ui/base.css';
import './ui/parts.css';
import './app/shell.css';
import { router } from './app/routes';

const RELOADED = 'millrace.reloaded';

// After a deploy, an open tab asks for a chunk that the new build may not have: the address as it is now loads the new build.
window.addEventListener('vite:preloadError', (event) => {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < 10_000) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
});

// The screen's code and its answer are under way before there is anything to draw them with.
void router.load();
void import('./app/frame').then(({ mount }) => mount(router));
