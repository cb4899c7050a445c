// Package people knows who works with the product: people with roles, how they
// sign in, who invited whom, what everybody did, and who agreed to which large
// campaign.
//
// There are few of them, so all but the audit trail is one file, people.json, that
// is replaced as a whole at each change: a crash leaves the one before or the one
// after. The trail is a file of its own, audit.log, that only ever grows, one JSON
// line a deed; it is on the disk before the deed begins, so that nothing is done
// that nobody can be asked about. The process that holds the data directory is the
// only one that writes.
//
// Neither file holds what opens a door: of a password there is its argon2id hash,
// and of a session, an invitation and the set-up link the SHA-256 of a random
// token that cannot be guessed.
package people
