"""PyPI's `omise` against a vault, as a merchant's server uses it against Omise."""

import os
import unittest

import omise

omise.api_main = omise.api_vault = os.environ["CARDSEAL_VAULT"]
omise.api_version = "2019-05-29"

CARD = {
    "name": "Somchai Prasert",
    "number": "4242424242424242",
    "expiration_month": 12,
    "expiration_year": 2030,
    "security_code": 123,
    "city": "Bangkok",
    "postal_code": "10320",
}


def tokenize(**changes):
    return omise.Token.create(**{**CARD, **changes})


def charge(**order):
    return omise.Charge.create(**{"amount": 100000, "currency": "thb", **order})


class Vault(unittest.TestCase):
    def setUp(self):
        omise.api_public = os.environ["CARDSEAL_PUBLIC_KEY"]
        omise.api_secret = os.environ["CARDSEAL_SECRET_KEY"]

    def test_a_token_is_created_and_retrieved(self):
        token = tokenize()
        self.assertIsInstance(token, omise.Token)
        self.assertRegex(token.id, "^tokn_test_[0-9a-z]+$")
        self.assertEqual((token.livemode, token.used), (False, False))
        self.assertIsInstance(token.card, omise.Card)
        self.assertEqual((token.card.brand, token.card.last_digits), ("Visa", "4242"))
        self.assertEqual((token.card.expiration_month, token.card.expiration_year), (12, 2030))
        self.assertEqual(omise.Token.retrieve(token.id)._attributes, token._attributes)

    def test_a_token_is_charged_once(self):
        token = tokenize()
        order = {"description": "Order 384", "metadata": {"order": "384"}, "card": token.id}
        paid = charge(**order)
        self.assertIsInstance(paid, omise.Charge)
        self.assertRegex(paid.id, "^chrg_test_[0-9a-z]+$")
        self.assertEqual((paid.status, paid.paid, paid.amount), ("successful", True, 100000))
        self.assertEqual((paid.description, paid.card.last_digits), ("Order 384", "4242"))
        self.assertEqual(omise.Charge.retrieve(paid.id)._attributes, paid._attributes)
        token.reload()
        self.assertEqual((token.used, token.charge_status), (True, "successful"))
        with self.assertRaises(omise.errors.UsedTokenError):
            charge(**order)

    def test_a_charge_that_the_bank_refuses_is_a_failed_charge(self):
        failed = charge(card=tokenize(number="4111111111140011").id)
        self.assertEqual((failed.status, failed.failure_code), ("failed", "insufficient_fund"))

    def test_errors_have_their_own_types(self):
        with self.assertRaisesRegex(omise.errors.InvalidCardError, "^number is invalid$"):
            tokenize(number="4242424242424241")
        with self.assertRaises(omise.errors.MissingCardError):
            charge()
        with self.assertRaises(omise.errors.NotFoundError):
            charge(card="tokn_test_1")
        with self.assertRaises(omise.errors.NotFoundError):
            omise.Charge.retrieve("chrg_test_1")
        omise.api_public = "pkey_test_5xuy4w91xqz7d1w9u0t"
        omise.api_secret = "skey_test_5xuy4w91xqz7d1w9u0t"
        with self.assertRaises(omise.errors.AuthenticationFailureError):
            tokenize()
        with self.assertRaises(omise.errors.AuthenticationFailureError):
            charge(card="tokn_test_1")

    def test_a_customer_is_made_of_a_token_charged_changed_and_deleted(self):
        token = tokenize()
        customer = omise.Customer.create(
            email="john.doe@example.com", description="John Doe (id: 30)", card=token.id
        )
        self.assertIsInstance(customer, omise.Customer)
        self.assertRegex(customer.id, "^cust_test_[0-9a-z]+$")
        self.assertEqual((len(customer.cards), customer.cards.total), (1, 1))
        self.assertEqual(customer.default_card, customer.cards[0].id)
        with self.assertRaises(omise.errors.UsedTokenError):
            charge(card=token.id)
        with self.assertRaises(omise.errors.UsedTokenError):
            omise.Customer.create(card=token.id)
        shown = omise.Customer.retrieve(customer.id)
        self.assertEqual((shown.email, shown.default_card), ("john.doe@example.com", customer.default_card))
        self.assertEqual(shown.cards._attributes["data"], customer.cards._attributes["data"])

        paid = charge(customer=customer.id)
        self.assertEqual((paid.status, paid.customer), ("successful", customer.id))
        # A card on file is charged as often as the merchant likes.
        paid = charge(customer=customer.id, card=customer.default_card)
        self.assertEqual((paid.status, paid.card.id), ("successful", customer.default_card))

        # The library sends what was set on the object together with what is given.
        customer.description = "Another description"
        customer.update(card=tokenize(number="5555555555554444").id)
        self.assertEqual((customer.description, customer.email), ("Another description", "john.doe@example.com"))

        # A list asks in the body of a GET: limit, offset, order, from and to.
        cards = customer.list_cards()
        self.assertEqual(len(cards), 2)
        self.assertEqual({card.brand for card in cards}, {"Visa", "MasterCard"})
        self.assertEqual([card.brand for card in cards.offset(limit=1, order="chronological")], ["Visa"])

        # A card is read again, changed and deleted at its `location`.
        card = omise.Card.retrieve(customer.id, customer.default_card)
        card.update(expiration_month=11, expiration_year=2031, postal_code="10310")
        self.assertEqual((card.expiration_month, card.expiration_year), (11, 2031))
        card.reload()
        self.assertEqual((card.expiration_month, card.postal_code), (11, "10310"))
        self.assertFalse(card.destroyed)
        card.destroy()
        self.assertTrue(card.destroyed)
        with self.assertRaises(omise.errors.NotFoundError):
            omise.Card.retrieve(customer.id, customer.default_card)
        customer.destroy()
        self.assertTrue(customer.destroyed)
        with self.assertRaises(omise.errors.NotFoundError):
            charge(customer=customer.id)


if __name__ == "__main__":
    unittest.main(verbosity=2)
