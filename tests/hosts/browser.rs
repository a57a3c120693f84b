pub async fn verdicts() -> Vec<poolgate_tests::seen::Seen> { vec![] }
