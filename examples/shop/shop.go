// Package shop embeds the definitions of the example shop, which the demo puts
// in force. They are files like any shop's own: rapport validate examples/shop.
package shop

import "embed"

// Files is the folder of definitions, with its stories.
//
//go:embed shop.yaml policy.yaml segments traits scores journeys campaigns service templates layouts blocks
var Files embed.FS
