import { createTheme } from '@mui/material/styles';

/** The key that public/theme-init.js reads before the first paint. */
export const MODE_KEY = 'millrace-theme';

const FONT = "'Inter Variable', Inter, system-ui, -apple-system, 'Segoe UI', sans-serif";

/** Material UI in the looks of ui/tokens.css: the same colours, flat, dense. */
export const theme = createTheme({
  cssVariables: { colorSchemeSelector: 'data-theme' },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: '#4338ca' },
        error: { main: '#a01616' },
        background: { default: '#f6f7f9', paper: '#ffffff' },
        text: { primary: '#111827', secondary: '#4b5563' },
        divider: '#e3e6eb',
      },
    },
    dark: {
      palette: {
        primary: { main: '#a5b4fc', contrastText: '#12163a' },
        error: { main: '#fca5a5' },
        background: { default: '#0c0f16', paper: '#151922' },
        text: { primary: '#e8ebf1', secondary: '#b4bcc9' },
        divider: '#272d3a',
      },
    },
  },
  typography: { fontFamily: FONT, fontSize: 13, button: { textTransform: 'none', fontWeight: 600, letterSpacing: 0 } },
  shape: { borderRadius: 7 },
  transitions: { duration: { shortest: 80, shorter: 100, short: 120, standard: 120, complex: 120, enteringScreen: 120, leavingScreen: 100 } },
  components: {
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiButton: {
      defaultProps: { size: 'small', disableElevation: true },
      styleOverrides: {
        root: {
          fontSize: 13,
          lineHeight: '20px',
          padding: '4px 12px',
          minHeight: 30,
          whiteSpace: 'nowrap',
          '&:focus-visible': { outline: '2px solid var(--accent)', outlineOffset: 2 },
          '@media (max-width: 599px)': { minHeight: 44 },
        },
      },
      variants: [
        {
          props: { variant: 'outlined', color: 'inherit' },
          style: { borderColor: 'var(--line)', backgroundColor: 'var(--surface)', '&:hover': { backgroundColor: 'var(--hover)' } },
        },
      ],
    },
    MuiPaper: { styleOverrides: { root: { backgroundImage: 'none', border: '1px solid var(--line)' } } },
    MuiDialog: { styleOverrides: { paper: { borderRadius: 10, boxShadow: 'var(--shadow)' } } },
    MuiMenu: { styleOverrides: { paper: { boxShadow: 'var(--shadow)' } } },
    MuiTooltip: { defaultProps: { enterDelay: 400 }, styleOverrides: { tooltip: { fontSize: 12 } } },
    MuiTextField: { defaultProps: { size: 'small' } },
  },
});
