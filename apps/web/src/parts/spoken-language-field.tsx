import { useApp, useMessages } from '../state/app.ts';
import { spokenLanguages } from '../state/spoken-language.ts';

/** In which language somebody speaks in the recordings that are added. */
export function SpokenLanguageField() {
  const { spoken, language } = useApp();
  const m = useMessages();
  const named = spokenLanguages
    .map((code) => ({ code, name: language.toName(code) }))
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
