/** What a person is asked before a client gets in: who they are, then whether they let it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { AppError } from '../../kernel/errors.ts';

export interface ConsentStep {
  readonly asks: 'login' | 'consent';
  readonly clientId: string;
  /** As the client calls itself; anybody may call themselves anything. */
  readonly clientName: string;
  /** Where the code goes. */
  readonly redirectUri: string;
  /** What the client wants to reach: URLs. */
  readonly resources: readonly string[];
  /** Each resolves with the URL where the browser goes on. */
  login(userId: string): Promise<string>;
  consent(userId: string): Promise<string>;
  refuse(): Promise<string>;
}

/** Throws NOT_FOUND when the step is over or belongs to another browser. */
export async function openStep(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<ConsentStep> {
  const step = await provider.interactionDetails(request, response).catch((error: unknown) => {
    throw new AppError('NOT_FOUND', { what: 'sign-in', id: 'of this browser' }, { cause: error });
  });
  const { params, prompt } = step;
  const clientId = String(params['client_id']);
  const client = await provider.Client.find(clientId);
  const resource = params['resource'];
  const resources = (Array.isArray(resource) ? resource : [resource]).filter(
    (one) => typeof one === 'string',
  );
  const finish = (result: Parameters<Provider['interactionResult']>[2], isMerged: boolean) =>
    provider.interactionResult(request, response, result, { mergeWithLastSubmission: isMerged });

  /** Somebody else was signed in when the client asked: their session is none of this person's. */
  async function leaveFormer(userId: string): Promise<void> {
    if (!step.session || step.session.accountId === userId) return;
    Object.assign(step, { session: undefined });
    await step.persist();
    const name = provider.cookieName('session');
    response.setHeader(
      'set-cookie',
      [name, `${name}.sig`].map((one) => `${one}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`),
    );
  }

  return {
    asks: prompt.name === 'consent' ? 'consent' : 'login',
    clientId,
    clientName: client?.clientName ?? clientId,
    redirectUri: String(params['redirect_uri']),
    resources,
    async login(userId) {
      await leaveFormer(userId);
      return await finish({ login: { accountId: userId, remember: false } }, false);
    },
    async consent(userId) {
      if (step.session?.accountId !== userId)
        throw new AppError('NOT_FOUND', { what: 'sign-in', id: userId });
      const former = step.grantId === undefined ? undefined : await provider.Grant.find(step.grantId);
      const grant = former ?? new provider.Grant({ accountId: userId, clientId });
      const { missingOIDCScope, missingResourceScopes } = prompt.details as {
        readonly missingOIDCScope?: readonly string[];
        readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>;
      };
      if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
      for (const [indicator, scopes] of Object.entries(missingResourceScopes ?? {}))
        grant.addResourceScope(indicator, scopes.join(' '));
      return await finish({ consent: { grantId: await grant.save() } }, true);
    },
    refuse: () =>
      finish({ error: 'access_denied', error_description: 'the person did not let the client in' }, false),
  };
}
