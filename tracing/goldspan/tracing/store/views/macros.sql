-- What is the text of the last message that this role spoke?
CREATE OR REPLACE MACRO message_text(messages, wanted_role) AS (
    nullif(
        array_to_string(
            list_transform(
                list_filter(
                    json_extract(
                        list_last(
                            list_filter(
                                json_extract(messages, '$[*]'),
                                lambda m: json_extract_string(m, '$.role') = wanted_role
                            )
                        ),
                        '$.parts[*]'
                    ),
                    lambda p: json_extract_string(p, '$.type') = 'text'
                ),
                lambda p: json_extract_string(p, '$.content')
            ),
            chr(10)
        ),
        ''
    )
);
