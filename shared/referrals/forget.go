package referrals

import (
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Forget drops the registrations under all that a member is known by, for a
// person who is erased. The referrals stay, and name ids alone.
func Forget(tx *table.Tx, p *table.Profile) error { return drop(tx, identitiesOf(nil, p)) }

// ForgetCustomer does so for a customer who may be no member.
func ForgetCustomer(tx *table.Tx, c *loyalty.Customer) error { return drop(tx, identitiesOf(c, nil)) }

func drop(tx *table.Tx, who []table.Identity) error {
	for _, i := range who {
		if err := tx.DropFriend(i); err != nil {
			return err
		}
	}
	return nil
}
