package people

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: OWASP's smallest for argon2id. Each takes 19 MiB for some
// thirty milliseconds.
const (
	hashPasses  = 2
	hashKiB     = 19 << 10
	hashThreads = 1
	hashLen     = 32
	saltLen     = 16
)

// hashing bounds how many are worked out at once, and so what strangers who try
// passwords cost: 40 MiB.
var hashing = make(chan struct{}, 2)

func stretch(password string, salt []byte) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, hashPasses, hashKiB, hashThreads, hashLen)
}

// hashPassword returns what is kept of a password, in the form that others write, too.
func hashPassword(password string) string {
	salt := make([]byte, saltLen)
	rand.Read(salt) //nolint:errcheck // it ends the process instead of failing
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashKiB, hashPasses, hashThreads, enc.EncodeToString(salt), enc.EncodeToString(stretch(password, salt)))
}

// nobody is the hash against which the password of an unknown person is checked, so
// that the time it takes tells nothing about who is known.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// fits reports whether the password is the one of which the hash is kept.
func fits(hash, password string) bool {
	parts := strings.Split(hash, "$")
	want := fmt.Sprintf("m=%d,t=%d,p=%d", hashKiB, hashPasses, hashThreads)
	if len(parts) != 6 || parts[1] != "argon2id" || parts[3] != want || len(password) > maxPassword {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	return err1 == nil && err2 == nil && subtle.ConstantTimeCompare(stretch(password, salt), sum) == 1
}

// token returns a random text that opens something, and what is kept of it. Its 256
// bits cannot be guessed, so one fast hash is enough.
func token() (text, kept string) {
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // it ends the process instead of failing
	text = base64.RawURLEncoding.EncodeToString(b)
	return text, digest(text)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// newID names a person, an invitation or a session: it opens nothing.
func newID(prefix string) string {
	b := make([]byte, 8)
	rand.Read(b) //nolint:errcheck // it ends the process instead of failing
	return prefix + hex.EncodeToString(b)
}
