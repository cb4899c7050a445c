// Lists without end: pages of the API, one after the other.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback } from 'react';

export function usePages<T>(key: unknown[], load: (cursor: string) => Promise<{ data: T[] | null; next?: string }>) {
  const q = useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    queryFn: ({ pageParam }) => load(pageParam),
    getNextPageParam: (last) => last.next || undefined,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = q;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = q.data?.pages.flatMap((p) => p.data ?? []);
  return { data: rows, error: q.error, isPending: q.isPending, more, whole: q.data !== undefined && !hasNextPage };
}
