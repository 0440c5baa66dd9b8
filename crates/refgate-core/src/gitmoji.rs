//! Reads the emoji at the beginning of a title by the convention of gitmoji.dev.

/// The emoji, its code and the class that it suggests.
const MEANINGS: &[(&str, &str, &str)] = &[
    ("✨", ":sparkles:", "feature"),
    ("🎉", ":tada:", "feature"),
    ("💥", ":boom:", "feature"),
    ("⚡", ":zap:", "minor-feature"),
    ("💄", ":lipstick:", "minor-feature"),
    ("🚸", ":children_crossing:", "minor-feature"),
    ("♿", ":wheelchair:", "minor-feature"),
    ("💬", ":speech_balloon:", "minor-feature"),
    ("📱", ":iphone:", "minor-feature"),
    ("🐛", ":bug:", "bugfix"),
    ("🚑", ":ambulance:", "bugfix"),
    ("🩹", ":adhesive_bandage:", "bugfix"),
    ("✏", ":pencil2:", "bugfix"),
    ("⏪", ":rewind:", "bugfix"),
    ("🥅", ":goal_net:", "bugfix"),
    ("🔒", ":lock:", "security"),
    ("📝", ":memo:", "docs"),
    ("📄", ":page_facing_up:", "docs"),
    ("💡", ":bulb:", "docs"),
    ("✅", ":white_check_mark:", "chore"),
    ("🧪", ":test_tube:", "chore"),
    ("🔥", ":fire:", "chore"),
    ("⚰", ":coffin:", "chore"),
    ("🎨", ":art:", "chore"),
    ("♻", ":recycle:", "chore"),
    ("🚚", ":truck:", "chore"),
    ("🔨", ":hammer:", "chore"),
    ("🔧", ":wrench:", "chore"),
    ("👷", ":construction_worker:", "chore"),
    ("💚", ":green_heart:", "chore"),
    ("🚨", ":rotating_light:", "chore"),
    ("⬆", ":arrow_up:", "chore"),
    ("⬇", ":arrow_down:", "chore"),
    ("📌", ":pushpin:", "chore"),
    ("➕", ":heavy_plus_sign:", "chore"),
    ("➖", ":heavy_minus_sign:", "chore"),
    ("🔖", ":bookmark:", "chore"),
    ("🌐", ":globe_with_meridians:", "chore"),
    ("🏷", ":label:", "chore"),
    ("🙈", ":see_no_evil:", "chore"),
    ("📸", ":camera_flash:", "chore"),
    ("🧑\u{200d}💻", ":technologist:", "chore"),
];

/// The code of the emoji at the beginning of a title, and the name of the class that it
/// suggests.
pub(crate) fn gitmoji(title: &str) -> Option<(&'static str, &'static str)> {
    let title = title.trim_start();
    let found = MEANINGS
        .iter()
        .find(|(emoji, code, _)| title.starts_with(emoji) || title.starts_with(code))?;
    Some((found.1, found.2))
}

#[cfg(test)]
mod tests {
    use super::gitmoji;

    #[test]
    fn reads_the_emoji_and_its_code() {
        assert_eq!(gitmoji("✅ Tests"), Some((":white_check_mark:", "chore")));
        assert_eq!(gitmoji(":sparkles: x"), Some((":sparkles:", "feature")));
        assert_eq!(gitmoji("⚡\u{fe0f} faster"), Some((":zap:", "minor-feature")));
        assert_eq!(gitmoji("a ✨"), None);
    }
}
