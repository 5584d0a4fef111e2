/** The rows of the error table about who may come in, and what they may do. */

/** By code; the error table checks their form. */
export const accessErrorRows = {
  FORBIDDEN_HOST: {
    http: 403,
    jsonRpc: -32000,
    exit: 5,
    retry: 'never',
    message: 'the Host header {host} is not allowed here',
  },
  FORBIDDEN_ORIGIN: {
    http: 403,
    jsonRpc: -32000,
    exit: 5,
    retry: 'never',
    message: 'the Origin {origin} is not allowed here',
  },
  UNAUTHENTICATED: {
    http: 401,
    jsonRpc: -32000,
    exit: 5,
    retry: 'never',
    message: 'a valid key is needed: {problem}',
  },
  FORBIDDEN: { http: 403, jsonRpc: -32000, exit: 5, retry: 'never', message: 'not allowed: {problem}' },
  GUARDRAIL_BLOCKED: {
    http: 403,
    jsonRpc: -32000,
    exit: 5,
    retry: 'never',
    message: 'the guardrail {guardrail} stopped this call: {rule} in {field}{why}',
  },
  BIND_REFUSED: {
    http: 500,
    jsonRpc: -32603,
    exit: 5,
    retry: 'never',
    message:
      'refusing to listen on {host}: without authentication only loopback addresses are allowed; use --auth required, or --host 127.0.0.1',
  },
  CERTIFICATE_REFUSED: {
    http: 502,
    jsonRpc: -32603,
    exit: 5,
    retry: 'never',
    message:
      'no trusted connection to {url}: {problem}; GIT_MEMORY_MCP_CA names a file with the CA to trust, GIT_MEMORY_MCP_CERT and GIT_MEMORY_MCP_CERT_KEY the certificate to show',
  },
  CREDENTIALS_REFUSED: {
    http: 502,
    jsonRpc: -32603,
    exit: 8,
    retry: 'never',
    message: 'no token was given by {server}: {problem}',
  },
  CREDENTIALS_NEEDED: {
    http: 403,
    jsonRpc: -32603,
    exit: 5,
    retry: 'never',
    message: 'server {server} needs credentials of yours: {problem}',
  },
  URL_ELICITATION_REQUIRED: {
    http: 403,
    jsonRpc: -32042,
    exit: 5,
    retry: 'never',
    message: 'server {server} needs your leave: open {url} in a browser, then call again',
  },
  RATE_LIMITED: {
    http: 429,
    jsonRpc: -32603,
    exit: 75,
    retry: 'later',
    message: 'the limit {rule} is used up: {allowed}; try again in {retryAfterMs} ms',
  },
  LIMITS_UNAVAILABLE: {
    http: 503,
    jsonRpc: -32603,
    exit: 75,
    retry: 'later',
    message: 'limits cannot be checked: {problem}',
  },
  AUDIT_UNAVAILABLE: {
    http: 503,
    jsonRpc: -32603,
    exit: 75,
    retry: 'later',
    message:
      'refused, because the audit log cannot be written: {problem}; make room for it, or set audit.onFailure to allow',
  },
} as const;
