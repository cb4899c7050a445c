// What the stages of life are called.
import type { Text } from '../words';

const words: Record<string, Text> = {
  anonymous: 'anonymous',
  prospect: 'prospect',
  considering: 'considering',
  first: 'first order',
  repeat: 'repeat',
  loyal: 'loyal',
  advocate: 'advocate',
  'at-risk': 'at risk',
  lapsed: 'lapsed',
  back: 'back again',
};

// stageWord is a stage as people call it; one that is not known is itself.
export function stageWord(stage: string, t: (x: Text) => string): string {
  return words[stage] ? t(words[stage]) : stage;
}
