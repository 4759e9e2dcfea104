import { describe, expect, it } from 'vitest';

import { chosenIn, toggled } from './chosen';

describe('chosenIn', () => {
  it('reads a list with commas, each once', () => {
    expect(chosenIn('a,b,,a')).toEqual(['a', 'b']);
    expect(chosenIn(undefined)).toEqual([]);
  });
});

describe('toggled', () => {
  it('adds at the end, takes away, and has room for five', () => {
    expect(toggled(['a'], 'b')).toEqual(['a', 'b']);
    expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
    expect(toggled(['a', 'b', 'c', 'd', 'e'], 'f')).toBeNull();
    expect(toggled(['a', 'b', 'c', 'd', 'e'], 'e')).toEqual(['a', 'b', 'c', 'd']);
  });
});
