/** A loopback OpenStack behind TLS. */
import { makeCertificate } from "./certificate.ts";
import { startStub, type Stub } from "./openstack-stub.ts";

/** A stub behind TLS whose certificate only `caFile` vouches for. */
export async function startTlsStub(): Promise<{ stub: Stub; caFile: string } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const { tls, caFile } = stack.use(await makeCertificate());
  const stub = stack.use(await startStub({ tls }));
  return { stub, caFile, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
