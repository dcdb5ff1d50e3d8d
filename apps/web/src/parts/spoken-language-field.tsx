import { useApp, useMessages } from '../state/app.ts';
import { spokenLanguages } from '../state/spoken-language.ts';
import { toLanguageName } from '../text/format.ts';

/** In which language somebody speaks in the recordings that are added. */
export function SpokenLanguageField() {
  const { spoken } = useApp();
  const m = useMessages();
  const named = spokenLanguages
    .map((code) => ({ code, name: toLanguageName(code, m) }))
    .sort((a, b) => a.name.localeCompare(b.name, m.locale));
  return (
    <p class="spoken">
      <label for="spoken">{m.spoken.label}</label>
      <select
        class="field"
        id="spoken"
        value={spoken.code.value ?? ''}
        onChange={({ currentTarget }) => spoken.choose(currentTarget.value)}
      >
        <option value="">{m.spoken.unknown}</option>
        {named.map(({ code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </p>
  );
}
