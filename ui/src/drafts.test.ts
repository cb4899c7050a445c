import { describe, expect, test } from 'vitest';
import { Trouble } from './api';
import { Line } from './parts/drafts';

describe('the line of versions', () => {
  // A server that keeps one draft, and answers when it is told to.
  function server() {
    let body = '';
    let version = '';
    let n = 0;
    const puts: string[] = [];
    const put = async (next: string, from: string) => {
      await Promise.resolve();
      puts.push(next);
      if (from !== version) throw new Trouble(409, 'another browser');
      body = next;
      version = next === '' ? '' : 'v' + ++n;
      return version;
    };
    return { put, puts, other: (b: string) => ((body = b), (version = 'o' + ++n)), now: () => [body, version] };
  }

  test('of many versions at once the last is kept, each made from the one before', async () => {
    const s = server();
    const l = new Line('', '', s.put, () => {});
    l.want('a');
    const first = l.flush();
    l.want('b');
    void l.flush();
    l.want('c');
    await first;
    expect(s.now()).toEqual(['c', 'v2']);
    expect(s.puts).toEqual(['a', 'c']);
    l.want('');
    await l.flush();
    expect(s.now()).toEqual(['', '']);
  });

  test('what another browser kept is not overwritten until somebody decides', async () => {
    const s = server();
    let said = '';
    const l = new Line('', '', s.put, (conflict) => (said = conflict));
    l.want('mine');
    await l.flush();
    s.other('theirs');
    l.want('mine too');
    await l.flush();
    l.want('and more');
    await l.flush();
    expect(s.now()[0]).toBe('theirs');
    expect(said).toBe('another browser');
    expect(s.puts).toEqual(['mine', 'mine too']);
    l.from(s.now()[1]!, 'theirs'); // keep what is here
    await l.flush();
    expect(s.now()[0]).toBe('and more');
  });

  test('what could not be sent is sent with the next', async () => {
    const s = server();
    let down = true;
    let failed = '';
    const l = new Line(
      '',
      '',
      (b, f) => (down ? Promise.reject(new Error('no network')) : s.put(b, f)),
      (_, f) => (failed = f),
    );
    l.want('a');
    await l.flush();
    expect(failed).toBe('no network');
    down = false;
    l.want('b');
    await l.flush();
    expect([failed, ...s.now()]).toEqual(['', 'b', 'v1']);
  });
});
