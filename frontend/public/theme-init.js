// Before first paint, so that nobody is shown the wrong theme for a moment. The key is the one in src/app/theme.ts.
(function () {
  let mode = 'system';
  try {
    mode = localStorage.getItem('millrace-theme') || 'system';
  } catch {
    // A browser that keeps nothing gets what its system says.
  }
  const dark = mode === 'dark' || (mode === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
