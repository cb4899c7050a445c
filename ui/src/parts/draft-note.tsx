// What is said of a draft that is not kept, and of one that another browser kept.
import { useWords } from '../words';
import type { Keeper } from './drafts';

export function DraftNote({ keeper, onTheirs }: { keeper: Keeper; onTheirs: (body: string) => void }) {
  const { t } = useWords();
  if (keeper.conflict)
    return (
      <div className="note warn spread" role="alert">
        <span>{t('Your changes here are not kept: {why}', { why: keeper.conflict })}</span>
        <span className="row">
          <button type="button" onClick={() => void keeper.theirs().then(onTheirs)}>
            {t('Go on with the other')}
          </button>
          <button type="button" onClick={() => void keeper.mine()}>
            {t('Keep what is here')}
          </button>
        </span>
      </div>
    );
  if (keeper.failed) return <div className="note bad">{t('The draft is not kept: {why}', { why: keeper.failed })}</div>;
  return null;
}
