// The one client of the management API. Its types are generated from the document
// that the server serves, so what the API does not have cannot be asked for.
import createClient from 'openapi-fetch';
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { components, paths } from './schema';

export const api = createClient<paths>({ baseUrl: '' });
export type Schemas = components['schemas'];

// What went wrong, as the API says it.
export class Trouble extends Error {
  status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

type Result<T> = { data?: T; error?: unknown; response: Response };

export async function must<T>(asked: Promise<Result<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) {
    const said = error as { detail?: string } | undefined;
    throw new Trouble(response.status, said?.detail ?? response.statusText);
  }
  return data as T;
}

type Gets = {
  [P in keyof paths]: paths[P] extends { get: { responses: { 200: { content: { 'application/json': unknown } } } } } ? P : never;
}[keyof paths];
type Answer<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer T } } } } }
  ? T
  : never;
type Params<P extends keyof paths> = paths[P] extends { get: { parameters: infer A } } ? A : never;
type Asked<P extends keyof paths> = {
  path?: Params<P> extends { path: infer X } ? X : never;
  query?: Params<P> extends { query?: infer X } ? X : never;
};

export function get<P extends Gets>(path: P, params?: Asked<P>): Promise<Answer<P>> {
  // The generic client cannot see that the parameters fit the path; Asked says so.
  return must((api.GET as (p: string, o: unknown) => Promise<Result<Answer<P>>>)(path, { params }));
}

export function useGet<P extends Gets>(
  path: P,
  params?: Asked<P>,
  options?: { enabled?: boolean; refetchInterval?: number | ((last: Answer<P> | undefined) => number); keep?: boolean; retry?: boolean },
): UseQueryResult<Answer<P>, Error> {
  const every = options?.refetchInterval;
  return useQuery<Answer<P>, Error>({
    queryKey: [path, params ?? {}],
    queryFn: () => get(path, params),
    enabled: options?.enabled,
    refetchInterval: typeof every === 'function' ? (q) => every(q.state.data) : every,
    ...(options?.keep ? { placeholderData: keepPreviousData as never } : {}),
    ...(options?.retry === false ? { retry: false } : {}),
  });
}
