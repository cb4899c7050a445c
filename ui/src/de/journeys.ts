// The German of the pages of journeys.
export const journeys = {} as const;
