// Package inbound holds one small webhook of each storefront, as a shop in
// Israel would send it. shared/storefront reads them in its tests; the local
// host answers the bigcommerce_order_*.json ones in place of BigCommerce's API.
// The people and the numbers are invented.
package inbound

import "embed"

// Files are the samples, by the kind of connection: shopify.json (topic
// orders/paid) and shopify_refund.json (refunds/create), woocommerce.json (order.updated), bigcommerce.json with
// bigcommerce_order_118.json and bigcommerce_order_118_products.json, stripe.json,
// square.json, standard.json.
//
//go:embed *.json
var Files embed.FS
