// Package site serves the few pages that customers themselves see: where the
// links of a message lead, the picture that tells of its opening, the way out,
// and the preference page.
//
// Whoever holds a link may be a person, a mail program's proxy, a security
// scanner that follows everything within a second, or somebody who guesses. So
// every link carries a token that only a [Signer] can make; nothing that a
// scanner does without thinking (GET, HEAD) changes anything about the
// customer; a link redirects only to where it was signed to lead; and each
// opening and click says whether a [Judge] takes it for a person's.
//
// An unsubscribe is answered 200 only once the suppression is durable. It
// depends on nothing else: if the log is away, the event of it waits and the
// answer does not.
//
// The pages are plain HTML without script, cookies or anything from elsewhere.
package site
