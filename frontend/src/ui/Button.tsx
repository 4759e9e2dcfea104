import MuiButton, { type ButtonProps } from '@mui/material/Button';
import { createLink } from '@tanstack/react-router';
import { forwardRef } from 'react';

type Look = 'plain' | 'primary' | 'danger' | 'quiet';

const LOOKS: Record<Look, Pick<ButtonProps, 'variant' | 'color'>> = {
  plain: { variant: 'outlined', color: 'inherit' },
  primary: { variant: 'contained', color: 'primary' },
  danger: { variant: 'outlined', color: 'error' },
  quiet: { variant: 'text', color: 'inherit' },
};

interface Props extends Omit<ButtonProps, 'variant' | 'color'> {
  look?: Look;
}

export const Button = forwardRef<HTMLButtonElement, Props>(function Button({ look = 'plain', loading, ...rest }, ref) {
  return <MuiButton ref={ref} {...LOOKS[look]} aria-busy={loading || undefined} {...rest} />;
});

const Anchor = forwardRef<HTMLAnchorElement, Omit<Props, 'href'>>(function Anchor({ look = 'plain', ...rest }, ref) {
  return <MuiButton ref={ref as never} component="a" {...LOOKS[look]} {...(rest as object)} />;
});

/** A link that looks like a button: `<ButtonLink to="/runs/new">`. */
export const ButtonLink = createLink(Anchor);
