// The German of the pages of campaigns.
export const campaigns = {} as const;
