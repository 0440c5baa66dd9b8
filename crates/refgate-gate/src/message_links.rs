//! Finds links to tickets, pull requests and pages in a commit message.

/// The URLs, pull requests (`#12`) and tickets (`ABC-12`) in a commit message.
pub(crate) fn links(message: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in message.split_whitespace() {
        let edge = |c: char| "()[]{}<>.,;:!?\"'`".contains(c);
        let word = word.trim_matches(edge);
        let numbered = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let ticket = word.split_once('-').is_some_and(|(key, number)| {
            let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
            key.len() > 1
                && key.starts_with(|c: char| c.is_ascii_uppercase())
                && key.chars().all(upper)
                && numbered(number)
        });
        let pull = word.strip_prefix('#').is_some_and(numbered);
        let address = word.starts_with("https://") || word.starts_with("http://");
        if (ticket || pull || address) && !all.iter().any(|known| known == word) {
            all.push(word.to_string());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn finds_tickets_pull_requests_and_urls() {
        let text = "fix: x (#12)\n\nSee PORTAL-7, https://tracker.example/7. utf-8, A-1, #x #12";
        assert_eq!(links(text), ["#12", "PORTAL-7", "https://tracker.example/7"]);
    }
}
