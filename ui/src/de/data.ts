// The German of the pages of data.
export const data = {} as const;
