// pkgcloud and request ship no types, and @types/pkgcloud covers object storage alone: this declares the
// members that session.ts uses, no more.
declare module "pkgcloud/lib/pkgcloud/openstack/client.js" {
  import type { HttpRequest } from "./types.ts";

  /** Request options as a `before` hook sees them, on their way to `request`. */
  export interface OutgoingRequest {
    headers: Record<string, string>;
    [option: string]: unknown;
  }

  export class Client {
    constructor(options: Record<string, unknown>);
    serviceType: string | null;
    before: ((request: OutgoingRequest) => void)[];
    _serviceUrl: string | null;
    setCustomUserAgent(text: string): void;
    auth(callback: (error?: unknown) => void): void;
    _request(options: {
      method: string;
      uri: string;
      headers: Record<string, string>;
      body?: unknown;
    }): HttpRequest;
  }

  const client: { Client: typeof Client };
  export default client;
}

declare module "pkgcloud/lib/pkgcloud/openstack/context/identity.js" {
  export class Identity {
    constructor(options: Record<string, unknown>);
    token?: { id: string; expires: Date };
    _authenticationPayload?: { auth: { scope: unknown } };
    authorize(options: unknown, callback?: (error?: unknown) => void): void;
    _buildAuthenticationPayload(): void;
    _parseIdentityResponse(body: unknown, headers: unknown): void;
  }

  const identity: { Identity: typeof Identity };
  export default identity;
}

declare module "request" {
  import type { HttpRequest } from "./types.ts";

  const request: (options: Record<string, unknown>) => HttpRequest;
  export default request;
}
