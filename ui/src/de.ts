// The German of every text of the app, a file for each part of it. A text that is not here does not compile.
import { base } from './de/base';
import { campaigns } from './de/campaigns';
import { data } from './de/data';
import { journeys } from './de/journeys';
import { segments } from './de/segments';

export const de = { ...base, ...segments, ...journeys, ...campaigns, ...data } as const;
