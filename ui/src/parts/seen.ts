// seen scrolls the chosen one of a row of tabs to where it is seen: a telephone shows few.
export const seen = (tab: HTMLElement | null) => tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
