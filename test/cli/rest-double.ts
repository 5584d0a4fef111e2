/** A stand-in for the coordinator: speaks the REST contract, checked by its shapes, with answers given by the test. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RouteDefinition } from '../../src/contract/define-route.ts';
import { problemShape, type RouteName, routes } from '../../src/contract/rest/routes.ts';
import { AppError, errorTable, type ErrorCode } from '../../src/kernel/errors.ts';

/** What the command line sent, parsed by the route's own shapes. */
export interface SeenRequest {
  readonly route: RouteName;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
}

type Answer = (request: SeenRequest) => unknown;

export interface RestDouble extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenRequest[];
}

function matcherOf({ path }: RouteDefinition): RegExp {
  return new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)').replace('*', '(?<key>.*)')}$`);
}

function parseQuery(search: URLSearchParams): Record<string, unknown> {
  const names = [...new Set(search.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const all = search.getAll(name);
      return [name, all.length > 1 ? all : all[0]];
    }),
  );
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

function problemOf(code: ErrorCode, data: Record<string, unknown>): unknown {
  const error = new AppError(code, data);
  const { http } = errorTable[code];
  return problemShape.parse({
    type: 'about:blank',
    title: code,
    status: http,
    detail: error.message,
    code,
    id: error.id,
    data,
  });
}

/** Starts it on a free port. An answer that is an AppError goes out as problem details. */
export async function startRestDouble(answers: Partial<Record<RouteName, Answer>>): Promise<RestDouble> {
  const seen: SeenRequest[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
    const reply = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    for (const name of Object.keys(routes) as RouteName[]) {
      const route: RouteDefinition = routes[name];
      const match = request.method === route.method ? matcherOf(route).exec(path) : null;
      const answer = answers[name];
      if (!match || !answer) continue;
      const decoded = Object.entries(match.groups ?? {}).map(([key, value]) => [
        key,
        decodeURIComponent(value),
      ]);
      const query = parseQuery(new URLSearchParams(search));
      const one: SeenRequest = {
        route: name,
        params: Object.fromEntries(decoded) as Record<string, string>,
        query: route.query ? route.query.parse(query) : query,
        body: route.body ? route.body.parse(await readBody(request)) : undefined,
      };
      seen.push(one);
      const result = answer(one);
      if (result instanceof AppError)
        reply(errorTable[result.code].http, problemOf(result.code, { ...result.data }));
      else reply(200, route.response.parse(result));
      return;
    }
    reply(404, problemOf('NOT_FOUND', { what: 'route', id: `${request.method} ${path}` }));
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(400).end(JSON.stringify(problemOf('INVALID_REQUEST', { problem: String(error) })));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
