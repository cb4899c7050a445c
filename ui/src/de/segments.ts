// The German of the pages of segments.
export const segments = {} as const;
