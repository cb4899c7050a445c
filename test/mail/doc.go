// Package mail looks at the mails of the example shops as their readers do: in a
// browser, on a telephone, a tablet and a desk, in the dark, without pictures, and
// as text. What the product's own tests compare with is made beside it, by node:
// the official MJML compiler, and juice for styles.
package mail
