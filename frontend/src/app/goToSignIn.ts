/** Leave for the sign-in page, to come back to this address. */
export async function goToSignIn(): Promise<void> {
  const { signIn } = await import('../auth/flow');
  await signIn(location.pathname + location.search + location.hash);
}
