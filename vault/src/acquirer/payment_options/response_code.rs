use crate::charge::FailureCode;

/// What a code for a declined purchase means, `payment_details.response_code` (DASGATEWAY's manual of integration, table of
/// response codes). The bank's own codes are ISO 8583's. One that is not here is some bank's no.
pub(super) fn failure(code: i64) -> FailureCode {
    match code {
        // The gateway's own error; the card's bank out of order; a malfunction.
        -1 | 91 | 96 => FailureCode::FailedProcessing,
        // Invalid card number; its check digit is wrong.
        14 | 586 | 588 | 589 => FailureCode::InvalidAccountNumber,
        // Reported lost or stolen.
        41 | 43 => FailureCode::StolenOrLostCard,
        // Not enough funds; over the limit.
        51 | 61 => FailureCode::InsufficientFund,
        // Security code wrong, or not given.
        580 | 581 => FailureCode::InvalidSecurityCode,
        // Do not honour (5), expired (54, 605), not permitted (57, 58), restricted (62), authentication wanted (65).
        _ => FailureCode::PaymentRejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_the_table_has_its_meaning() {
        for (codes, meaning) in [
            (&[-1, 91, 96][..], FailureCode::FailedProcessing),
            (&[14, 586, 588, 589], FailureCode::InvalidAccountNumber),
            (&[41, 43], FailureCode::StolenOrLostCard),
            (&[51, 61], FailureCode::InsufficientFund),
            (&[580, 581], FailureCode::InvalidSecurityCode),
            (&[5, 54, 57, 58, 62, 65, 605, 7777], FailureCode::PaymentRejected),
        ] {
            for code in codes {
                assert_eq!(failure(*code), meaning, "{code}");
            }
        }
    }
}
