// Package picture takes in the pictures of a shop and makes of each the sizes
// that mails and pages need.
//
// Pictures come from people, so nothing is decoded before its header has told how
// large it will be, and what is served was written anew by us: no place where it
// was taken, no camera, no thumbnail of what was cut away, no second file behind
// the first. A drawing in SVG is a program, and refused.
//
// A picture is named by a hash of its bytes. The name says what is in it, so it
// may be kept for ever by whoever fetched it, and a changed picture has another
// name. Definitions keep only an [Info]; a [Library] keeps the pictures.
package picture
